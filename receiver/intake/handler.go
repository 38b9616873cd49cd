// Package intake takes webhook requests from the network: it bounds, authenticates, decodes, routes and stores them,
// and answers 200 only when everything is on stable storage.
package intake

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/endpoint"
	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/metrics"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/tracing"
)

// Appender stores what a request brought; see [journal.Journal].
type Appender interface {
	// Append returns once the batch is on stable storage.
	Append(ctx context.Context, b journal.Batch) (journal.Receipt, error)
}

// Options are what a Handler needs.
type Options struct {
	// Journal takes the events.
	Journal Appender
	// Metrics counts.
	Metrics *metrics.Metrics
	// Logger takes what an operator has to know; nothing per request.
	Logger *slog.Logger
	// TrustedProxies are the address ranges whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix
	// MaxInFlightBytes bounds the memory for bodies; 0 = DefaultInFlightBytes.
	MaxInFlightBytes int64
	// UnknownPathGrace is how long from now on an unknown path is answered 503 instead of 404, because the configuration may be
	// older than what was applied; 0 = never.
	UnknownPathGrace time.Duration
	// HTTPClient makes the calls that providers ask for; nil = none are made.
	HTTPClient *http.Client
	// Recorder is told of requests that are refused, and of events that become dead letters at once; nil = nobody is.
	Recorder Recorder
	// Tracer makes spans; nil = none are made.
	Tracer *tracing.Tracer
	// Now is the clock of tolerances, acceptance times and UnknownPathGrace.
	Now func() time.Time
}

// Handler is the http.Handler of all endpoints. Its table can be swapped at any time.
type Handler struct {
	options    Options
	budget     budget
	sites      atomic.Pointer[sites]
	closed     atomic.Bool
	completeAt time.Time     // from then on, what is not in the table does not exist
	exchanges  sync.Pool     // of *exchange
	decoding   chan struct{} // holds one for each large body that is being decoded
}

// NewHandler returns a Handler that knows no endpoint yet.
func NewHandler(o Options) *Handler {
	if o.MaxInFlightBytes == 0 {
		o.MaxInFlightBytes = DefaultInFlightBytes
	}
	h := &Handler{options: o, budget: newBudget(o.MaxInFlightBytes, o.Metrics), completeAt: o.Now().Add(o.UnknownPathGrace), decoding: newDecoding()}
	h.sites.Store(newSites(&endpoint.Table{}))
	h.exchanges.New = func() any { return new(exchange) }
	return h
}

// Swap replaces the endpoints. Requests that are being handled go on with the old ones.
func (h *Handler) Swap(t *endpoint.Table) {
	t.Inherit(h.Table())
	h.sites.Store(newSites(t))
}

// Table returns the endpoints that are served now.
func (h *Handler) Table() *endpoint.Table { return h.sites.Load().table }

// StopAccepting makes every further POST answer 503, for a shutdown.
func (h *Handler) StopAccepting() { h.closed.Store(true) }

// receipt is the body of a 200; deadLettered and refused are left out when they are 0.
type receipt struct {
	accepted, duplicates, deadLettered, refused int
}

// appendJSON appends the receipt to b.
func (r receipt) appendJSON(b []byte) []byte {
	b = strconv.AppendInt(append(b, `{"accepted":`...), int64(r.accepted), 10)
	b = strconv.AppendInt(append(b, `,"duplicates":`...), int64(r.duplicates), 10)
	if r.deadLettered > 0 {
		b = strconv.AppendInt(append(b, `,"deadLettered":`...), int64(r.deadLettered), 10)
	}
	if r.refused > 0 {
		b = strconv.AppendInt(append(b, `,"refused":`...), int64(r.refused), 10)
	}
	return append(b, '}')
}

// ServeHTTP answers one request: 200 with a receipt, or a problem.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e, token := h.sites.Load().lookup(r.URL.Path)
	if e == nil {
		h.dismiss(w, r)
		h.unknown().Write(w)
		return
	}
	if r.Method != http.MethodPost {
		h.dismiss(w, r)
		h.probe(w, r, e, token)
		return
	}
	x := h.begin(e, token)
	ctx, span := h.options.Tracer.Request(r.Context(), tracing.Request{Endpoint: e.Name(), Path: e.Path(), Method: r.Method, At: x.started})
	if x.span = span; span != nil {
		r = r.WithContext(ctx)
	}
	done, p := h.accept(w, r, x)
	h.options.Metrics.ObserveRequest(h.options.Now().Sub(x.started).Seconds(), span.TraceID())
	if p != nil {
		span.Answered(p.Status)
		if !x.reserved.whole && !x.pace.late {
			h.dismiss(w, r)
		}
		e.answer(w, p)
		return // without a release: the journal may still hold what it could not store
	}
	if x.reply != nil {
		h.reply(w, e, x.reply)
		span.Answered(cmp.Or(x.reply.Status, http.StatusOK))
	} else {
		span.Answered(http.StatusOK)
		e.metrics.OK()
		answer := done.appendJSON(x.arena.Scratch())
		writeReceipt(w, answer)
		x.arena.Keep(answer)
	}
	h.release(x)
}

// dismiss gives a client little time for a body that nobody wants: net/http reads some of it, so that the client sees the answer.
// One that waits for 100 Continue sends none, so its connection is closed at once.
func (h *Handler) dismiss(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength == 0 {
		return
	}
	until := h.options.Now()
	if r.Header.Get("Expect") == "" {
		until = until.Add(firstByteTimeout)
	}
	_ = http.NewResponseController(w).SetReadDeadline(until) // a writer that has no deadlines is bounded by its caller
}

// unknown answers for a path that no endpoint has, as far as this receiver knows.
func (h *Handler) unknown() *problem {
	if h.options.Now().Before(h.completeAt) {
		return unavailable("unknown-yet", "The receiver has just started and knows no endpoint with this path yet. Retry.", retryAfterBusy)
	}
	return notFound()
}

func writeReceipt(w http.ResponseWriter, json []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(json) // the client is gone; a retry is recognised as a duplicate
}

// accept runs one POST through the checks in order of their cost and stores what it brought.
func (h *Handler) accept(w http.ResponseWriter, r *http.Request, x *exchange) (receipt, *problem) {
	e := x.endpoint
	if p := h.admissible(r, e); p != nil {
		return receipt{}, p
	}
	refusal, p := h.checkFactors(r, x)
	if p != nil {
		return receipt{}, p
	}
	if refusal != "" && !e.IsShadow() {
		h.recordRefusal(r, x, refusal)
		return receipt{}, e.refuse(refusal)
	}
	defer x.reserved.release()
	body, p := h.readBody(w, r, x)
	if p != nil {
		return receipt{}, p
	}
	x.request = h.request(r, e, body)
	x.request.TraceParent = x.span.TraceParent()
	if reply, ok := e.Handshake(&x.request); ok {
		x.reply = &reply
		return receipt{}, nil
	}
	unverified, p := h.verify(r, x, refusal)
	if p != nil {
		return receipt{}, p
	}
	// A client that hangs up now has sent all: its events are stored, and counted, and its retry is a duplicate.
	return h.store(context.WithoutCancel(r.Context()), x, unverified)
}

// admissible checks what needs no credential and no body.
func (h *Handler) admissible(r *http.Request, e *site) *problem {
	switch {
	case h.closed.Load():
		return unavailable("stopping", "The receiver is stopping. Retry.", retryAfterBusy)
	case e.State() == config.Paused:
		return unavailable("paused", "This endpoint is paused. Retry later.", retryAfterPaused)
	case e.State() == config.Unavailable:
		return unavailable("endpoint-unavailable", "This endpoint cannot work now; the WebhookEndpoint's conditions say why. Retry later.", retryAfterPaused)
	case IsEncoded(r.Header, e.TakesGzip()):
		e.metrics.Limit(metrics.LimitEncoding)
		return encoded()
	case r.ContentLength > e.MaxBodyBytes():
		e.metrics.Limit(metrics.LimitBody)
		e.NoteLarge(h.options.Now())
		return tooLarge(e.MaxBodyBytes())
	}
	return nil
}

// checkFactors returns why a further factor refuses a request, or a problem when one could not be asked.
func (h *Handler) checkFactors(r *http.Request, x *exchange) (refusal string, p *problem) {
	e := x.endpoint
	if !e.HasFactors() {
		return "", nil
	}
	refusal, err := e.Check(r.Context(), &endpoint.Caller{
		Header: r.Header, Address: clientAddress(r, h.options.TrustedProxies), Token: x.token, Now: h.options.Now(),
	})
	switch {
	case err == nil:
		return refusal, nil
	case e.IsShadow():
		return endpoint.Undecided, nil
	default:
		return "", h.undecided(r.Context(), e, err)
	}
}

// undecided says that authenticity could not be decided.
func (h *Handler) undecided(ctx context.Context, e *site, err error) *problem {
	if ctx.Err() != nil { // the client has gone; there is nobody to tell
		return unavailable("verification-unavailable", "The request was given up.", retryAfterBusy)
	}
	e.undecided.log(h.options.Logger.Warn, h.options.Now(), "authenticity could not be decided", e.Name(), err)
	return unavailable("verification-unavailable", "The signature cannot be checked now. Retry later.", retryAfterBusy)
}

// verify checks the provider's signature. In shadow mode nothing is refused; what would have been is marked and counted.
func (h *Handler) verify(r *http.Request, x *exchange, refusal string) (unverified bool, p *problem) {
	e, ctx := x.endpoint, r.Context()
	proof, err := e.Verify(ctx, &x.request)
	refused, ok := errors.AsType[*provider.VerifyError](err)
	switch {
	case ok:
		refusal = string(refused.Reason)
	case err != nil && !e.IsShadow():
		return false, h.undecided(ctx, e, err)
	case err != nil:
		refusal = endpoint.Undecided
	}
	if refusal == "" {
		e.metrics.Verified(proof.Key)
		x.bearer = proof.Bearer
		return false, nil
	}
	e.metrics.Refused(refusal)
	if e.IsShadow() {
		return true, nil
	}
	h.recordRefusal(r, x, refusal)
	return false, unauthorized()
}

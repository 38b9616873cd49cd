// Package intake takes webhook requests from the network: it bounds, authenticates, decodes, routes and stores them,
// and answers 200 only when everything is on stable storage.
package intake

import (
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
	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/metrics"
	"github.com/mailvane/mailvane/receiver/provider"
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
	// Now is the clock of tolerances, acceptance times and UnknownPathGrace.
	Now func() time.Time
}

// Handler is the http.Handler of all endpoints. Its table can be swapped at any time.
type Handler struct {
	options   Options
	budget    budget
	table     atomic.Pointer[Table]
	closed    atomic.Bool
	sure      time.Time     // from then on, what is not in the table does not exist
	exchanges sync.Pool     // of *exchange
	decoding  chan struct{} // holds one for each large body that is being decoded
}

// NewHandler returns a Handler that knows no endpoint yet.
func NewHandler(o Options) *Handler {
	if o.MaxInFlightBytes == 0 {
		o.MaxInFlightBytes = DefaultInFlightBytes
	}
	h := &Handler{options: o, budget: newBudget(o.MaxInFlightBytes, o.Metrics), sure: o.Now().Add(o.UnknownPathGrace), decoding: newDecoding()}
	h.table.Store(&Table{})
	h.exchanges.New = func() any { return new(exchange) }
	return h
}

// Swap replaces the endpoints. Requests that are being handled go on with the old ones.
func (h *Handler) Swap(t *Table) {
	t.inherit(h.table.Load())
	h.table.Store(t)
}

// Table returns the endpoints that are served now.
func (h *Handler) Table() *Table { return h.table.Load() }

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
	e, token := h.table.Load().lookup(r.URL.Path)
	if e == nil {
		h.dismiss(w, r)
		h.unknown().write(w)
		return
	}
	switch r.Method {
	case http.MethodPost:
	case http.MethodGet, http.MethodHead:
		h.dismiss(w, r)
		w.WriteHeader(http.StatusOK) // providers probe the URL when it is saved
		return
	default:
		h.dismiss(w, r)
		methodNotAllowed().write(w)
		return
	}
	x := h.begin(e, token)
	done, p := h.accept(w, r, x)
	h.options.Metrics.ObserveRequest(h.options.Now().Sub(x.started).Seconds())
	if p != nil {
		e.metrics.Answered(strconv.Itoa(p.Status))
		if !x.reserved.whole && !x.pace.late {
			h.dismiss(w, r)
		}
		p.write(w)
		return // without a release: the journal may still hold what it could not store
	}
	e.metrics.OK()
	x.encoded = done.appendJSON(x.encoded[:0])
	writeReceipt(w, x.encoded)
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
	if h.options.Now().Before(h.sure) {
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
	refusal := h.checkFactors(r, x)
	if refusal != "" && !e.shadow {
		e.metrics.Refused(refusal)
		return receipt{}, unauthorized()
	}
	defer x.reserved.release()
	body, p := h.readBody(w, r, x)
	if p != nil {
		return receipt{}, p
	}
	x.request = provider.Request{Header: r.Header, Body: body, ReceivedAt: h.options.Now()}
	unverified, p := h.verify(r.Context(), e, &x.request, refusal)
	if p != nil {
		return receipt{}, p
	}
	// A client that hangs up now has sent all: its events are stored, and counted, and its retry is a duplicate.
	return h.store(context.WithoutCancel(r.Context()), x, unverified)
}

// admissible checks what needs no credential and no body.
func (h *Handler) admissible(r *http.Request, e *Endpoint) *problem {
	switch {
	case h.closed.Load():
		return unavailable("stopping", "The receiver is stopping. Retry.", retryAfterBusy)
	case e.state == config.Paused:
		return unavailable("paused", "This endpoint is paused. Retry later.", retryAfterPaused)
	case e.state == config.Unavailable:
		return unavailable("endpoint-unavailable", "This endpoint cannot work now; the WebhookEndpoint's conditions say why. Retry later.", retryAfterPaused)
	case isEncoded(r.Header):
		e.metrics.Limit(metrics.LimitEncoding)
		return encoded()
	case r.ContentLength > e.maxBodyBytes:
		e.metrics.Limit(metrics.LimitBody)
		h.noteLarge(e)
		return tooLarge(e.maxBodyBytes)
	}
	return nil
}

func (h *Handler) checkFactors(r *http.Request, x *exchange) string {
	if len(x.endpoint.factors) == 0 {
		return ""
	}
	c := &caller{request: r, address: clientAddress(r, h.options.TrustedProxies), token: x.token}
	for _, f := range x.endpoint.factors {
		if cause := f(c); cause != "" {
			return cause
		}
	}
	return ""
}

// verify checks the provider's signature. In shadow mode nothing is refused; what would have been is marked and counted.
func (h *Handler) verify(ctx context.Context, e *Endpoint, r *provider.Request, refusal string) (unverified bool, p *problem) {
	err := e.webhook.Verify(ctx, r)
	refused, ok := errors.AsType[*provider.VerifyError](err)
	switch {
	case ok:
		refusal = string(refused.Reason)
	case err != nil && !e.shadow && ctx.Err() != nil: // the client has gone; there is nobody to tell
		return false, unavailable("verification-unavailable", "The request was given up.", retryAfterBusy)
	case err != nil && !e.shadow:
		e.undecided.log(h.options.Logger.Warn, h.options.Now(), "authenticity could not be decided", e.name, err)
		return false, unavailable("verification-unavailable", "The signature cannot be checked now. Retry later.", retryAfterBusy)
	case err != nil:
		refusal = "undecided"
	}
	if refusal == "" {
		return false, nil
	}
	e.metrics.Refused(refusal)
	if e.shadow {
		return true, nil
	}
	return false, unauthorized()
}

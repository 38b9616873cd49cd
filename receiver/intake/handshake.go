package intake

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mailvane/mailvane/receiver/provider"
)

// confirmTimeout bounds one call that confirms a subscription. Amazon SNS waits 15 s for the answer to the request that asks for it.
const confirmTimeout = 5 * time.Second

// maxConfirmations is how many calls one request may cause; providers ask for one.
const maxConfirmations = 1

// probe answers a request of another method than POST: a handshake of the provider, or somebody who looks whether anybody is there.
func (h *Handler) probe(w http.ResponseWriter, r *http.Request, e *site, token string) {
	methods := e.Methods()
	if !slices.Contains(methods, r.Method) {
		methodNotAllowed(strings.Join(methods, ", ")).Write(w)
		return
	}
	request := h.request(r, e, nil)
	reply, ok := e.Handshake(&request)
	if !ok {
		w.WriteHeader(http.StatusOK) // providers probe the URL when it is saved
		return
	}
	refusal, p := h.checkFactors(r, &exchange{endpoint: e, token: token})
	if p == nil && refusal != "" && !e.IsShadow() {
		p = e.refuse(refusal)
	}
	if p != nil {
		e.answer(w, p)
		return
	}
	h.reply(w, e, &reply)
}

// refuse counts a refusal and returns what to say of it.
func (e *site) refuse(cause string) *problem {
	e.metrics.Refused(cause)
	return unauthorized()
}

// answer writes a problem.
func (e *site) answer(w http.ResponseWriter, p *problem) {
	e.metrics.Answered(strconv.Itoa(p.Status))
	p.Write(w)
}

// request returns what a provider sees of a request.
func (h *Handler) request(r *http.Request, e *site, body []byte) provider.Request {
	return provider.Request{
		Method: r.Method, Base: e.Base(), Host: r.Host, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery,
		Header: r.Header, Body: body, ReceivedAt: h.options.Now(),
	}
}

// reply writes an answer of the provider's own form.
func (h *Handler) reply(w http.ResponseWriter, e *site, reply *provider.Reply) {
	header := w.Header()
	header["Content-Type"] = nil // none is guessed from what the other side has sent
	header.Set("X-Content-Type-Options", "nosniff")
	maps.Copy(header, reply.Header)
	status := reply.Status
	if status == 0 {
		status = http.StatusOK
	}
	e.metrics.Answered(strconv.Itoa(status))
	w.WriteHeader(status)
	_, _ = w.Write(reply.Body) // the client is gone; it asks again
}

// errNoCalls says that the receiver may not call anybody.
var errNoCalls = errors.New("this receiver makes no calls; confirm the subscription by hand")

// confirm makes the calls that a provider waits for.
// What is not verified confirms nothing.
func (h *Handler) confirm(ctx context.Context, e *site, all []provider.Confirmation, unverified bool) *problem {
	if unverified {
		return nil
	}
	for i := range all[:min(len(all), maxConfirmations)] {
		c := &all[i]
		if c.Manual {
			e.unconfirmed.say(h.options.Now(), func(leftOut int) {
				h.options.Logger.Warn("a subscription waits to be confirmed by hand", "endpoint", e.Name(), "subscription", c.Subject, "url", c.URL, "left_out", leftOut)
			})
			continue
		}
		if err := h.call(ctx, c.URL); err != nil {
			e.unconfirmed.log(h.options.Logger.Error, h.options.Now(), "a subscription could not be confirmed", e.Name(), err)
			return unavailable("confirmation", "The subscription could not be confirmed now. Retry later.", retryAfterBusy)
		}
		e.confirmed.say(h.options.Now(), func(leftOut int) {
			h.options.Logger.Info("confirmed a subscription", "endpoint", e.Name(), "subscription", c.Subject, "left_out", leftOut)
		})
	}
	return nil
}

// call fetches a URL and wants a success. No error holds the URL, which has a credential in it.
func (h *Handler) call(ctx context.Context, address string) error {
	if h.options.HTTPClient == nil {
		return errNoCalls
	}
	ctx, cancel := context.WithTimeout(ctx, confirmTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return errors.New("the URL is malformed")
	}
	response, err := h.options.HTTPClient.Do(request)
	if err != nil {
		return withoutURL(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("the provider answered %d", response.StatusCode)
	}
	return nil
}

func withoutURL(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}

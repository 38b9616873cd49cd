package tryout

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/endpoint"
	"github.com/mailvane/mailvane/receiver/event/filter"
	"github.com/mailvane/mailvane/receiver/intake"
	"github.com/mailvane/mailvane/receiver/keys"
	"github.com/mailvane/mailvane/receiver/metrics"
	"github.com/mailvane/mailvane/receiver/netrange"
	"github.com/mailvane/mailvane/receiver/provider"
	providers "github.com/mailvane/mailvane/receiver/provider/builtin"
)

// Table compiles endpoints as a receiver does. The client fetches public keys; nil = none are fetched.
func Table(cfg *config.Config, client *http.Client) (*endpoint.Table, error) {
	filters, err := filter.NewCompiler()
	if err != nil {
		return nil, fmt.Errorf("filters: %w", err)
	}
	compiler := endpoint.Compiler{
		Lookup: providers.Lookup, Filters: filters, Metrics: metrics.New(prometheus.NewRegistry()),
		Environment: provider.Environment{HTTPClient: client, Keys: &keys.Registry{}},
	}
	table, err := compiler.Compile(cfg)
	if err != nil {
		return nil, fmt.Errorf("endpoints: %w", err)
	}
	return table, nil
}

// Trial is a request, and for whom and when it is tried.
type Trial struct {
	// Endpoint takes the request, and Spec is its configuration.
	Endpoint *endpoint.Endpoint
	Spec     *config.Endpoint
	// Token is what stands in the path behind that of the endpoint.
	Token string
	// Request is what was captured.
	Request *Captured
	// At is when it arrived.
	At time.Time
}

// Run says what a receiver would make of the request. Nothing is stored, and no call that a provider asks for is made.
func (t *Trial) Run(ctx context.Context) *Result {
	r := &provider.Request{
		Method: t.Request.Method, Base: t.Endpoint.Base(), Host: t.Request.Host, Path: t.Request.URL.EscapedPath(), Query: t.Request.URL.RawQuery,
		Header: t.Request.Header, Body: t.Request.Raw, ReceivedAt: t.At,
	}
	out := &Result{Endpoint: t.Endpoint.Name(), Provider: t.Spec.Provider.Type, Shadow: t.Endpoint.IsShadow(), Events: []Event{}, DeadLetters: []DeadLetter{}}
	if out.Refusal = t.inadmissible(r); out.Refusal != "" {
		return out
	}
	refusal, err := t.Endpoint.Check(ctx, &endpoint.Caller{Header: r.Header, Address: t.address(), Token: t.Token, Now: t.At})
	if refusal != "" || err != nil {
		out.refuse("authentication: ", refusal, err)
		return out
	}
	if reply, ok := t.Endpoint.Handshake(r); ok {
		out.Verified, out.Handshake = true, &Answer{Status: max(reply.Status, http.StatusOK), Body: string(reply.Body)}
		return out
	}
	if r.Method != http.MethodPost {
		out.Refusal = "the method is " + r.Method + ": events are posted"
		return out
	}
	proof, err := t.Endpoint.Verify(ctx, r)
	if refused, ok := errors.AsType[*provider.VerifyError](err); ok {
		out.refuse("signature: ", string(refused.Reason), nil)
	} else if err != nil {
		out.refuse("signature: ", "", err)
	} else {
		out.Verified, out.Key = true, proof.Key
	}
	decoded := t.Endpoint.Decode(r)
	out.take(t, r, &decoded)
	return out
}

// inadmissible says why a receiver would not look at a request.
func (t *Trial) inadmissible(r *provider.Request) string {
	switch {
	case t.Endpoint.State() != config.Active:
		return "the endpoint is " + t.Endpoint.State() + ": it answers 503"
	case int64(len(r.Body)) > t.Endpoint.MaxBodyBytes():
		return fmt.Sprintf("the body has %d bytes, and spec.maxBodySize allows %d", len(r.Body), t.Endpoint.MaxBodyBytes())
	case intake.IsEncoded(r.Header, t.Endpoint.TakesGzip()):
		return "the body has a Content-Encoding: turn compression off at the provider or the proxy"
	default:
		return ""
	}
}

// address returns one that allowedCIDRs let pass: what was captured does not say where it came from.
func (t *Trial) address() netip.Addr {
	ranges, err := netrange.Parse(t.Spec.Authentication.AllowedCIDRs)
	if err != nil || len(ranges) == 0 {
		return netip.Addr{}
	}
	return ranges[0].Addr()
}

// Package endpoint is what a request becomes without HTTP: the table of endpoints, their further factors, verification, decoding,
// identity, routing and encoding. Intake, the retry of dead letters and the hand-off share it.
package endpoint

import (
	"context"
	"iter"
	"maps"
	"net/http"
	"strings"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/metrics"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/route"
)

// Table holds the compiled endpoints of one configuration. It is immutable.
type Table struct {
	byPath map[string]*Endpoint
	byName map[string]*Endpoint
}

// Endpoint is one compiled endpoint: what a request becomes, whoever has brought it. It is immutable but for its troubles.
type Endpoint struct {
	name          string // namespace/name
	source        string // CloudEvents source
	path          string
	webhook       provider.Webhook
	decodeHeaders []string
	routes        *route.Table
	factors       []factor
	takesToken    bool
	takesGzip     bool
	base          string // scheme and host that providers were told; "" = not known
	shadow        bool
	state         string
	remembered    bool // in a history
	maxBodyBytes  int64
	metrics       *metrics.Endpoint
	troubles      *troubles
}

// Name returns "namespace/name".
func (e *Endpoint) Name() string { return e.name }

// Path returns the URL path, without any token.
func (e *Endpoint) Path() string { return e.path }

// Base returns the scheme and host that the provider was told; "" = they are not known.
func (e *Endpoint) Base() string { return e.base }

// State returns Active, Paused or Unavailable; see package config.
func (e *Endpoint) State() string { return e.state }

// IsShadow reports whether nothing is refused.
func (e *Endpoint) IsShadow() bool { return e.shadow }

// MaxBodyBytes bounds a request's body.
func (e *Endpoint) MaxBodyBytes() int64 { return e.maxBodyBytes }

// Metrics counts what the endpoint does.
func (e *Endpoint) Metrics() *metrics.Endpoint { return e.metrics }

// Verify checks that a request comes from the provider; see [provider.Webhook].
func (e *Endpoint) Verify(ctx context.Context, r *provider.Request) (provider.Proof, error) {
	return e.webhook.Verify(ctx, r)
}

// Handshake returns the answer to a request with which the provider only asks, and reports whether it is one.
func (e *Endpoint) Handshake(r *provider.Request) (provider.Reply, bool) {
	if handshaker, ok := e.webhook.(provider.Handshaker); ok {
		return handshaker.Handshake(r)
	}
	return provider.Reply{}, false
}

// Methods returns the HTTP methods that the endpoint answers.
func (e *Endpoint) Methods() []string {
	methods := []string{http.MethodPost, http.MethodGet, http.MethodHead}
	if handshaker, ok := e.webhook.(provider.Handshaker); ok {
		methods = append(methods, handshaker.Methods()...)
	}
	return methods
}

// Summary describes one endpoint for people.
type Summary struct {
	// Name is "namespace/name".
	Name string `json:"name"`
	// Provider is the provider's type.
	Provider string `json:"provider"`
	// Path is the URL path, without any token.
	Path string `json:"path"`
	// Verification and State are the configuration's.
	Verification string `json:"verification"`
	State        string `json:"state"`
	// Routes are the names of the routes' sinks, "namespace/name".
	Routes []string `json:"routes"`
}

// All returns the endpoints, in no order.
func (t *Table) All() iter.Seq[*Endpoint] { return maps.Values(t.byName) }

// Lookup finds the endpoint of a URL path, and the token behind the endpoint's own path. One slash at the end, which is easily typed
// or added by a proxy, makes no difference; a redirect would lose the request.
func (t *Table) Lookup(path string) (e *Endpoint, token string) {
	if e, ok := t.byPath[path]; ok {
		return e, ""
	}
	path = strings.TrimSuffix(path, "/")
	if e, ok := t.byPath[path]; ok {
		return e, ""
	}
	cut := strings.LastIndexByte(path, '/')
	if cut <= 0 || cut == len(path)-1 {
		return nil, ""
	}
	if e, ok := t.byPath[path[:cut]]; ok && e.takesToken {
		return e, path[cut+1:]
	}
	return nil, ""
}

// Summaries describes the endpoints of cfg in its order.
func Summaries(cfg *config.Config) []Summary {
	out := make([]Summary, 0, len(cfg.Endpoints))
	for i := range cfg.Endpoints {
		e := &cfg.Endpoints[i]
		s := Summary{
			Name: config.QualifiedName(e.Namespace, e.Name), Provider: e.Provider.Type, Path: e.Path,
			Verification: e.Verification, State: e.State, Routes: []string{},
		}
		for _, r := range e.Routes {
			s.Routes = append(s.Routes, config.QualifiedName(e.Namespace, r.Sink))
		}
		out = append(out, s)
	}
	return out
}

package intake

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/event/filter"
	"github.com/mailvane/mailvane/receiver/metrics"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/route"
	"github.com/mailvane/mailvane/receiver/signature"
)

// Table holds the compiled endpoints of one configuration. It is immutable.
type Table struct {
	byPath map[string]*Endpoint
	byName map[string]*Endpoint
}

// Endpoint is one compiled endpoint.
type Endpoint struct {
	name          string // namespace/name
	source        string // CloudEvents source
	path          string
	webhook       provider.Webhook
	decodeHeaders []string
	routes        *route.Table
	factors       []factor
	takesToken    bool
	shadow        bool
	state         string
	maxBodyBytes  int64
	metrics       *metrics.Endpoint
	inFlight      account // of the budget, and locked with it
	undecided     sparing // what is logged of requests whose authenticity could not be decided
	unstored      sparing // and of those that could not be stored
	troubles      *troubles
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

// Compiler turns configurations into tables.
type Compiler struct {
	// Lookup finds a kind of provider by its type.
	Lookup func(providerType string) (provider.Kind, bool)
	// Environment is what providers may use.
	Environment provider.Environment
	// Filters compiles the routes' filters.
	Filters *filter.Compiler
	// Metrics counts what endpoints do.
	Metrics *metrics.Metrics

	// behindFactors stands for the environment's key servers where a request has passed another factor before its key is looked
	// up: who floods other endpoints with forged key ids does not use up the lookups of these.
	behindFactors signature.KeyServers
}

// SinkName returns the name under which a sink is known to journal and delivery.
func SinkName(namespace, name string) string { return namespace + "/" + name }

// Compile compiles every endpoint of c, or returns every error of the configuration, joined.
func (c *Compiler) Compile(cfg *config.Config) (*Table, error) {
	t := &Table{byPath: make(map[string]*Endpoint, len(cfg.Endpoints)), byName: make(map[string]*Endpoint, len(cfg.Endpoints))}
	var errs []error
	for i := range cfg.Endpoints {
		spec := &cfg.Endpoints[i]
		e, err := c.endpoint(spec)
		if err == nil {
			e.troubles, err = newTroubles(spec)
		}
		if err == nil {
			err = t.add(e)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("endpoint %s/%s: %w", spec.Namespace, spec.Name, err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return t, nil
}

func (t *Table) add(e *Endpoint) error {
	if other, taken := t.byPath[e.path]; taken {
		return fmt.Errorf("path %s belongs to %s already", e.path, other.name)
	}
	if _, taken := t.byName[e.name]; taken {
		return errors.New("is listed twice")
	}
	t.byPath[e.path], t.byName[e.name] = e, e
	return nil
}

func (c *Compiler) endpoint(spec *config.Endpoint) (*Endpoint, error) {
	if !strings.HasPrefix(spec.Path, "/") {
		return nil, fmt.Errorf("path %q must begin with a slash", spec.Path)
	}
	if spec.State == config.Unavailable {
		return c.unavailable(spec), nil
	}
	kind, ok := c.Lookup(spec.Provider.Type)
	if !ok {
		return nil, fmt.Errorf("unknown provider %q", spec.Provider.Type)
	}
	factors, err := newFactors(spec.Authentication)
	if err != nil {
		return nil, err
	}
	shadow := spec.Verification == config.Shadow
	webhook, err := kind.New(settingsOf(spec.Provider), c.environment(factors, shadow))
	if err != nil {
		return nil, fmt.Errorf("provider %s: %w", spec.Provider.Type, err)
	}
	if a, ok := webhook.(provider.Authenticator); ok && !a.Authenticates() && len(factors) == 0 {
		return nil, errors.New("nothing would be checked: without a credential of the provider another factor is needed")
	}
	routes, err := route.Compile(c.Filters, spec.Routes, func(name string) string { return SinkName(spec.Namespace, name) })
	if err != nil {
		return nil, err
	}
	if spec.MaxBodyBytes <= 0 {
		return nil, errors.New("maxBodyBytes must be positive")
	}
	name := spec.Namespace + "/" + spec.Name
	return &Endpoint{
		name: name, source: event.Source(spec.Namespace, spec.Name), path: spec.Path,
		webhook: webhook, decodeHeaders: kind.DecodeHeaders, routes: routes,
		factors: factors, takesToken: len(spec.Authentication.PathToken.Secrets) > 0,
		shadow: shadow, state: spec.State,
		maxBodyBytes: spec.MaxBodyBytes, metrics: c.Metrics.Endpoint(name),
	}, nil
}

// environment returns what the provider of an endpoint may use. In shadow mode factors refuse nothing.
func (c *Compiler) environment(factors []factor, shadow bool) provider.Environment {
	e := c.Environment
	if len(factors) > 0 && !shadow {
		e.KeyServers = &c.behindFactors
	}
	return e
}

// unavailable returns an endpoint that only says so. Whether it has a path token is not known, so it answers for one, too.
func (c *Compiler) unavailable(spec *config.Endpoint) *Endpoint {
	name := spec.Namespace + "/" + spec.Name
	return &Endpoint{name: name, path: spec.Path, takesToken: true, state: spec.State, metrics: c.Metrics.Endpoint(name)}
}

func settingsOf(p config.Plugin) json.RawMessage {
	if len(p.Settings) == 0 {
		return json.RawMessage("{}")
	}
	return p.Settings
}

// lookup finds the endpoint of a URL path, and the token behind the endpoint's own path. One slash at the end, which is easily typed
// or added by a proxy, makes no difference; a redirect would lose the request.
func (t *Table) lookup(path string) (e *Endpoint, token string) {
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
			Name: e.Namespace + "/" + e.Name, Provider: e.Provider.Type, Path: e.Path,
			Verification: e.Verification, State: e.State, Routes: []string{},
		}
		for _, r := range e.Routes {
			s.Routes = append(s.Routes, SinkName(e.Namespace, r.Sink))
		}
		out = append(out, s)
	}
	return out
}

package endpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/event/filter"
	"github.com/mailvane/mailvane/receiver/keys"
	"github.com/mailvane/mailvane/receiver/metrics"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/route"
)

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
	// History has every event owed to the history as well, those that no route takes among them.
	History bool

	// behindFactors stands for the environment's keys where a request has passed another factor before its key is looked
	// up: who floods other endpoints with forged key ids does not use up the lookups of these.
	behindFactors keys.Registry
}

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
	factors, err := c.factors(spec)
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
	routes, err := route.Compile(c.Filters, spec.Routes, func(name string) string { return config.QualifiedName(spec.Namespace, name) })
	if err != nil {
		return nil, err
	}
	if spec.MaxBodyBytes <= 0 {
		return nil, errors.New("maxBodyBytes must be positive")
	}
	name := config.QualifiedName(spec.Namespace, spec.Name)
	return &Endpoint{
		name: name, source: event.Source(spec.Namespace, spec.Name), path: spec.Path,
		webhook: webhook, decodeHeaders: decodeHeaders(&kind, webhook), routes: routes, takesGzip: kind.TakesGzip,
		factors: factors, takesToken: len(spec.Authentication.PathToken.Secrets) > 0,
		base:   spec.PublicURL,
		shadow: shadow, state: spec.State, remembered: c.History,
		maxBodyBytes: spec.MaxBodyBytes, metrics: c.Metrics.Endpoint(name),
	}, nil
}

// decodeHeaders returns the names of the headers that decoding reads.
func decodeHeaders(kind *provider.Kind, webhook provider.Webhook) []string {
	if r, ok := webhook.(provider.HeaderReader); ok {
		return slices.Concat(kind.DecodeHeaders, r.DecodeHeaders())
	}
	return kind.DecodeHeaders
}

// environment returns what the provider of an endpoint may use. In shadow mode factors refuse nothing.
func (c *Compiler) environment(factors []factor, shadow bool) provider.Environment {
	e := c.Environment
	if len(factors) > 0 && !shadow {
		e.Keys = &c.behindFactors
	}
	return e
}

// unavailable returns an endpoint that only says so. Whether it has a path token is not known, so it answers for one, too.
func (c *Compiler) unavailable(spec *config.Endpoint) *Endpoint {
	name := config.QualifiedName(spec.Namespace, spec.Name)
	return &Endpoint{name: name, path: spec.Path, takesToken: true, state: spec.State, metrics: c.Metrics.Endpoint(name)}
}

func settingsOf(p config.Plugin) json.RawMessage {
	if len(p.Settings) == 0 {
		return json.RawMessage("{}")
	}
	return p.Settings
}

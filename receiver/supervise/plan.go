package supervise

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/content"
)

// Plan is the set of sinks of one configuration, built but not started.
type Plan struct {
	all   map[string]*runner
	fresh []*runner
}

// Plan builds the sinks that are new or changed. Sinks that are as before are taken over as they run. A plan that comes with an error
// must be discarded.
func (s *Supervisor) Plan(sinks []config.Sink) (*Plan, error) {
	p := &Plan{all: make(map[string]*runner, len(sinks))}
	var errs []error
	for i := range sinks {
		r, err := s.build(&sinks[i])
		if err != nil {
			errs = append(errs, fmt.Errorf("sink %s: %w", config.QualifiedName(sinks[i].Namespace, sinks[i].Name), err))
			continue
		}
		if _, taken := p.all[r.name]; taken {
			errs = append(errs, fmt.Errorf("sink %s is listed twice", r.name))
		}
		p.add(r)
	}
	s.addOrphans(p)
	return p, errors.Join(errs...)
}

func (p *Plan) add(r *runner) {
	p.all[r.name] = r
	if r.worker == nil {
		p.fresh = append(p.fresh, r)
	}
}

// build returns the runner of a sink: the one that runs, if its configuration is the same.
func (s *Supervisor) build(spec *config.Sink) (*runner, error) {
	name := config.QualifiedName(spec.Namespace, spec.Name)
	canonical, err := json.Marshal(spec)
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	if r, ok := s.lookup(name); ok && bytes.Equal(r.spec, canonical) {
		return r, nil
	}
	kind, ok := s.options.Lookup(spec.Kind.Type)
	if !ok {
		return nil, fmt.Errorf("unknown type %q", spec.Kind.Type)
	}
	shape, err := content.New(spec.Content)
	if err != nil {
		return nil, err
	}
	settings := spec.Kind.Settings
	if len(settings) == 0 {
		settings = json.RawMessage("{}")
	}
	destination, err := kind.New(settings, s.options.Environment)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", spec.Kind.Type, err)
	}
	delivery := spec.Delivery
	if delivery.DeadLetterSink != "" {
		delivery.DeadLetterSink = config.QualifiedName(spec.Namespace, delivery.DeadLetterSink)
	}
	return &runner{name: name, kind: spec.Kind.Type, spec: canonical, sink: destination, content: shape, delivery: delivery}, nil
}

// Discard closes what was built for a configuration that is refused.
func (p *Plan) Discard() {
	for _, r := range p.fresh {
		_ = r.sink.Close() // it was never used
	}
}

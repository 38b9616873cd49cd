package render

import (
	"cmp"
	"slices"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/receiver/config"
)

// sinkTable holds every sink and whether it can be used.
type sinkTable map[sinkKey]*sinkState

type sinkKey struct{ namespace, name string }

type sinkState struct {
	config   config.Sink
	resolver settingsResolver
	usable   bool
}

func renderSinks(in Input) (sinkTable, []Problem) {
	table := sinkTable{}
	for i := range in.Sinks {
		sink := &in.Sinks[i]
		table[sinkKey{sink.Namespace, sink.Name}] = renderSink(in, sink)
	}
	table.checkDeadLetters()
	var problems []Problem
	for _, state := range table.sorted() {
		problems = append(problems, state.resolver.problems...)
	}
	return table, problems
}

func renderSink(in Input, sink *v1alpha1.EventSink) *sinkState {
	state := &sinkState{resolver: settingsResolver{
		object: Object{Kind: v1alpha1.EventSinkKind, Namespace: sink.Namespace, Name: sink.Name},
		secret: in.Secret, secretType: in.SecretType,
	}}
	state.config = config.Sink{
		Namespace: sink.Namespace,
		Name:      sink.Name,
		Kind:      state.resolver.plugin(string(sink.Spec.Type), sink.Spec, "spec", in.Checks.Sink),
		Content:   state.resolver.content(&sink.Spec.Content),
		Delivery:  delivery(&sink.Spec.Delivery),
	}
	state.usable = len(Faults(state.resolver.problems)) == 0
	return state
}

// content returns what a sink gets of events, or nil if that is all.
func (s *settingsResolver) content(c *v1alpha1.Content) *config.Content {
	rendered := config.Content{Raw: string(c.Raw)}
	for _, f := range c.Fields {
		rendered.Fields = append(rendered.Fields, config.ContentField{Name: f.Name, As: string(f.As)})
	}
	before := len(Faults(s.problems))
	if c.HashKeyRef != nil {
		rendered.HashKey = s.secretKey("spec.content.hashKeyRef", c.HashKeyRef.Name, c.HashKeyRef.Key, config.MinHashKeyBytes)
	}
	if len(Faults(s.problems)) > before {
		return nil
	}
	if err := rendered.Check(); err != nil {
		s.add("spec.content", v1alpha1.ReasonInvalidSettings, "%v", err)
	}
	if !rendered.Changes() && rendered.Raw != config.ContentDrop {
		return nil
	}
	return &rendered
}

func delivery(d *v1alpha1.Delivery) config.Delivery {
	return config.Delivery{
		MaxInFlight:                int(d.MaxInFlight),
		BatchMaxEvents:             int(d.Batch.MaxEvents),
		BatchMaxBytes:              int(d.Batch.MaxBytes.Value()),
		LingerMilliseconds:         valueOrZero(d.Batch.LingerMilliseconds),
		TimeoutSeconds:             int(d.TimeoutSeconds),
		InitialBackoffMilliseconds: int(d.Retry.InitialBackoffMilliseconds),
		MaxBackoffSeconds:          int(d.Retry.MaxBackoffSeconds),
		MaxAgeSeconds:              int(d.Retry.MaxAgeSeconds),
		Ordering:                   string(d.Ordering),
		EventsPerSecond:            valueOrZero(d.RateLimit.EventsPerSecond),
		DeadLetterSink:             d.DeadLetter.SinkRef.Name,
	}
}

func valueOrZero(v *int32) int {
	if v == nil {
		return 0
	}
	return int(*v)
}

// checkDeadLetters finds sinks whose dead letters have no usable sink to go to. They work all the same: as what a route selects, the
// dead letters wait in the receivers until that sink is there.
func (t sinkTable) checkDeadLetters() {
	for _, state := range t {
		if target := state.config.Delivery.DeadLetterSink; target != "" {
			t.check(&state.resolver, "spec.delivery.deadLetter.sinkRef.name", target)
		}
	}
}

// check adds a problem to s unless the named sink, of the same namespace, can be used.
func (t sinkTable) check(s *settingsResolver, field, name string) {
	target := t[sinkKey{s.object.Namespace, name}]
	related := Object{Kind: v1alpha1.EventSinkKind, Namespace: s.object.Namespace, Name: name}
	switch {
	case target == nil:
		s.addRelated(related, field, v1alpha1.ReasonSinkNotFound, "EventSink %q does not exist in namespace %q", name, s.object.Namespace)
	case !target.usable:
		s.addRelated(related, field, v1alpha1.ReasonSinkNotReady, "EventSink %q has a problem of its own", name)
	}
}

func (t sinkTable) sorted() []*sinkState {
	states := make([]*sinkState, 0, len(t))
	for _, state := range t {
		states = append(states, state)
	}
	slices.SortFunc(states, func(a, b *sinkState) int {
		return cmp.Or(cmp.Compare(a.config.Namespace, b.config.Namespace), cmp.Compare(a.config.Name, b.config.Name))
	})
	return states
}

func (t sinkTable) rendered() []config.Sink {
	var sinks []config.Sink
	for _, state := range t.sorted() {
		if state.usable {
			sinks = append(sinks, state.config)
		}
	}
	return sinks
}

package inspect

import (
	"context"
	"maps"
	"slices"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/receiver/admin"
)

// Sink is a sink of a cluster: what its status says, and what its receivers say together.
type Sink struct {
	admin.Sink
	Readiness
	// Receivers counts the pods that deliver to it, of those that were asked.
	Receivers int `json:"receivers"`
}

// stored is what one receiver says of its sinks, and which journal it speaks of.
type stored struct {
	journal string
	sinks   []admin.Sink
}

// Sinks asks receivers about sinks. What the receivers do not say is missing, and the error says so.
func Sinks(ctx context.Context, objects []v1alpha1.EventSink, receivers []*Receiver) ([]Sink, error) {
	answered, err := Ask(ctx, receivers, func(ctx context.Context, r *Receiver) (stored, error) {
		journal, err := r.Journal(ctx)
		if err != nil {
			return stored{}, err
		}
		sinks, err := r.Sinks(ctx)
		return stored{journal: journal.Shared, sinks: sinks}, err
	})
	return mergeSinks(objects, answered), err
}

// mergeSinks adds up what receivers say: a sink is healthy if it is for all of them. What waits in a journal that several
// share counts once. A sink that only receivers know is owed events of an object that is gone.
func mergeSinks(objects []v1alpha1.EventSink, answered Answers[stored]) []Sink {
	merged := map[string]*Sink{}
	for i := range objects {
		o := &objects[i]
		name := o.Namespace + "/" + o.Name
		merged[name] = &Sink{Sink: admin.Sink{Name: name, Type: string(o.Spec.Type)}, Readiness: readinessOf(o.Status.Conditions)}
	}
	counted := map[[2]string]bool{}
	for _, answer := range answered {
		for _, one := range answer.Said.sinks {
			key := [2]string{answer.Said.journal, one.Name}
			if answer.Said.journal != "" && counted[key] {
				one.Pending, one.OldestSeconds = 0, 0
			}
			counted[key] = true
			if merged[one.Name] == nil {
				merged[one.Name] = &Sink{Sink: admin.Sink{Name: one.Name, Type: one.Type}, Readiness: readinessOf(nil)}
			}
			merged[one.Name].add(&one)
		}
	}
	out := make([]Sink, 0, len(merged))
	for _, name := range slices.Sorted(maps.Keys(merged)) {
		out = append(out, *merged[name])
	}
	return out
}

func (s *Sink) add(one *admin.Sink) {
	s.Healthy = one.Healthy && (s.Healthy || s.Receivers == 0)
	s.Receivers++
	s.Pending += one.Pending
	s.OldestSeconds = max(s.OldestSeconds, one.OldestSeconds)
	if one.LastErrorTime.After(s.LastErrorTime) {
		s.LastError, s.LastErrorTime = one.LastError, one.LastErrorTime
	}
}

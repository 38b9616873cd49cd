// Package eventsink computes the status of an EventSink. It is pure.
package eventsink

import (
	"slices"
	"time"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/condition"
	"github.com/mailvane/mailvane/controllers/render"
	"github.com/mailvane/mailvane/receiver/config"
)

// Inputs are what the status of a sink depends on beside the object.
type Inputs struct {
	// Problems are what is wrong with it.
	Problems []render.Problem
	// Connection is what receivers tell of the way to its destination; nil = nothing.
	Connection *config.Connection
	// Now is the time of a transition.
	Now time.Time
}

// Status returns the status of a sink.
func Status(s *v1alpha1.EventSink, in Inputs) v1alpha1.EventSinkStatus {
	status := v1alpha1.EventSinkStatus{Conditions: slices.Clone(s.Status.Conditions), ObservedGeneration: s.Generation}
	w := condition.Writer{Conditions: &status.Conditions, Generation: s.Generation, Now: in.Now}
	connected := condition.Connected(in.Connection)
	w.Set(v1alpha1.ConditionReady, condition.First(ready(in.Problems), known(connected)))
	w.Set(v1alpha1.ConditionReferencesResolved, condition.OfProblems(condition.References(in.Problems)).Warn(condition.Warnings(in.Problems)))
	w.Set(v1alpha1.ConditionConnected, connected)
	w.SetStalled(condition.OfProblems(condition.Stalling(in.Problems)))
	return status
}

// known returns a finding if it is one: a sink to which nothing was sent yet is ready.
func known(f condition.Finding) condition.Finding {
	if f.Unknown {
		return condition.Finding{}
	}
	return f
}

// ready says why a sink does not do all that is asked of it. One that works but for its dead letters says so.
func ready(problems []render.Problem) condition.Finding {
	f := condition.OfProblems(problems)
	own := func(p render.Problem) bool { return p.Related.Kind != v1alpha1.EventSinkKind }
	if !f.OK() && !slices.ContainsFunc(render.Faults(problems), own) {
		f.Message = "The sink gets its events; its dead letters wait for the other sink. " + f.Message
	}
	return f
}

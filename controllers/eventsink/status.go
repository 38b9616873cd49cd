// Package eventsink computes the status of an EventSink. It is pure.
package eventsink

import (
	"slices"
	"time"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/condition"
	"github.com/mailvane/mailvane/controllers/render"
)

// Status returns the status of a sink with the given problems.
func Status(s *v1alpha1.EventSink, problems []render.Problem, now time.Time) v1alpha1.EventSinkStatus {
	status := v1alpha1.EventSinkStatus{Conditions: slices.Clone(s.Status.Conditions), ObservedGeneration: s.Generation}
	w := condition.Writer{Conditions: &status.Conditions, Generation: s.Generation, Now: now}
	w.Set(v1alpha1.ConditionReady, ready(problems))
	w.Set(v1alpha1.ConditionReferencesResolved, condition.OfProblems(condition.References(problems)).Warn(condition.Warnings(problems)))
	w.SetStalled(condition.OfProblems(condition.Stalling(problems)))
	return status
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

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
	w.Set(v1alpha1.ConditionReady, condition.OfProblems(problems))
	w.Set(v1alpha1.ConditionReferencesResolved, condition.OfProblems(condition.References(problems)))
	w.SetStalled(condition.OfProblems(condition.Stalling(problems)))
	return status
}

// Package condition builds the conditions of Mailvane's objects. It is pure.
package condition

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/render"
)

const (
	// maxMessage bounds the message of a condition, in bytes: it is read by people, and it is the note of an event, which the API
	// server refuses if it is longer.
	maxMessage = 1024
	// more ends a message that is cut.
	more = " ..."
)

// Finding is the outcome of one question: the condition is true, or it is false for a reason.
type Finding struct {
	// Reason is one of the Reason constants of the API; empty = true.
	Reason string
	// Message says for people what is wrong and what to do; of a condition that is true, what is odd. It is the same each time.
	Message string
	// Unknown says that the reason is not known to be one: the condition is unknown instead of false.
	Unknown bool
}

// OK says whether the condition is true.
func (f Finding) OK() bool { return f.Reason == "" }

// First returns the first finding that is not OK.
func First(findings ...Finding) Finding {
	for _, f := range findings {
		if !f.OK() {
			return f
		}
	}
	return Finding{}
}

// Warn adds to a finding what is odd and no reason for the condition not to be true.
func (f Finding) Warn(warning string) Finding {
	if warning != "" {
		f.Message = strings.TrimSpace(f.Message + " Warning: " + warning)
	}
	return f
}

// Warnings returns the messages of what is odd in other objects and works all the same.
func Warnings(problems []render.Problem) string {
	return messages(filter(problems, func(p render.Problem) bool { return p.Warning }))
}

// OfProblems returns the finding of a list of problems: the reason of the first, the messages of all. A warning is none.
func OfProblems(problems []render.Problem) Finding {
	problems = render.Faults(problems)
	if len(problems) == 0 {
		return Finding{}
	}
	return Finding{Reason: problems[0].Reason, Message: messages(problems)}
}

func messages(problems []render.Problem) string {
	all := make([]string, 0, len(problems))
	for _, p := range problems {
		where := p.Field
		if p.Route != "" {
			where = fmt.Sprintf("%s (route %s)", p.Field, p.Route)
		}
		all = append(all, where+": "+p.Message)
	}
	return strings.Join(all, "; ")
}

// meanwhile says what becomes of the events of routes with problems.
const meanwhile = "What a route selects for a sink that is missing waits for it; what arrives for a filter that does not compile becomes a dead letter, to be retried when the route is mended. "

// Routes returns the finding of the routes that cannot work.
func Routes(problems []render.Problem) Finding {
	f := OfProblems(filter(problems, render.OfRoute))
	if !f.OK() {
		f.Message = meanwhile + f.Message
	}
	return f
}

// Endpoint returns the problems that concern all of an endpoint.
func Endpoint(problems []render.Problem) []render.Problem {
	return filter(problems, render.OfEndpoint)
}

// References returns the problems that lie in other objects.
func References(problems []render.Problem) []render.Problem {
	return filter(problems, func(p render.Problem) bool { return p.Related != render.Object{} && !p.Warning })
}

// Stalling returns the problems that nothing but a change of the object solves.
func Stalling(problems []render.Problem) []render.Problem {
	return filter(problems, func(p render.Problem) bool {
		return p.Reason == v1alpha1.ReasonInvalidFilter || p.Reason == v1alpha1.ReasonInvalidSettings
	})
}

func filter(problems []render.Problem, keep func(render.Problem) bool) []render.Problem {
	var kept []render.Problem
	for _, p := range problems {
		if keep(p) {
			kept = append(kept, p)
		}
	}
	return kept
}

// Writer writes the conditions of one object.
type Writer struct {
	// Conditions is the list to change.
	Conditions *[]metav1.Condition
	// Generation is the object's.
	Generation int64
	// Now is the time of a transition.
	Now time.Time
}

// Set writes a condition: true when there is nothing to say.
func (w Writer) Set(conditionType string, f Finding) {
	c := metav1.Condition{
		Type: conditionType, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonReconciled,
		ObservedGeneration: w.Generation, LastTransitionTime: metav1.NewTime(w.Now),
	}
	c.Message = trim(f.Message)
	if !f.OK() {
		c.Status, c.Reason = metav1.ConditionFalse, f.Reason
	}
	if f.Unknown {
		c.Status = metav1.ConditionUnknown
	}
	meta.SetStatusCondition(w.Conditions, c)
}

// SetStalled writes Stalled, which is there only when it is true.
func (w Writer) SetStalled(f Finding) {
	if f.OK() {
		meta.RemoveStatusCondition(w.Conditions, v1alpha1.ConditionStalled)
		return
	}
	meta.SetStatusCondition(w.Conditions, metav1.Condition{
		Type: v1alpha1.ConditionStalled, Status: metav1.ConditionTrue, Reason: f.Reason, Message: trim(f.Message),
		ObservedGeneration: w.Generation, LastTransitionTime: metav1.NewTime(w.Now),
	})
}

// trim returns a message as it may be shown: what others say, such as a webhook or a Gateway, gets no control characters through.
func trim(message string) string {
	message = strings.Map(func(c rune) rune {
		if unicode.IsPrint(c) {
			return c
		}
		return ' '
	}, message)
	if len(message) <= maxMessage {
		return message
	}
	return strings.ToValidUTF8(message[:maxMessage-len(more)], "") + more
}

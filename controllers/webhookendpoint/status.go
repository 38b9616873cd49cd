// Package webhookendpoint computes the status of a WebhookEndpoint. It is pure.
package webhookendpoint

import (
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/condition"
	"github.com/mailvane/mailvane/controllers/render"
	"github.com/mailvane/mailvane/receiver/config"
)

// Inputs is what a status depends on beside the object.
type Inputs struct {
	// Problems are the endpoint's.
	Problems []render.Problem
	// Troubles are what its receiver tells of it.
	Troubles []config.Problem
	// Receiver says whether the receiver is available.
	Receiver condition.Finding
	// Refused says why the receiver is not what it should be: an object of it could not be written.
	Refused condition.Finding
	// Loaded says whether every ready pod has loaded the configuration that holds this generation.
	Loaded condition.Finding
	// Name is the name of the receiver that the endpoint asks for.
	Name string
	// BaseURL returns where a receiver is reached, without a slash at its end.
	BaseURL func(receiver string) string
	// Exposed says whether the endpoint is reached from outside of the cluster.
	Exposed condition.Finding
	// ExternalURL is where, without a slash at its end; empty = nowhere.
	ExternalURL string
	// Registered says whether the provider has the webhook; nil = nothing new is known.
	Registered *condition.Finding
	// MoveTime is how long a former receiver serves on when the new one serves.
	MoveTime time.Duration
	// Now is the time of transitions.
	Now time.Time
}

// Status returns the status of an endpoint.
func Status(e *v1alpha1.WebhookEndpoint, in Inputs) v1alpha1.WebhookEndpointStatus {
	status := v1alpha1.WebhookEndpointStatus{
		Conditions:         slices.Clone(e.Status.Conditions),
		ObservedGeneration: e.Generation,
	}
	w := condition.Writer{Conditions: &status.Conditions, Generation: e.Generation, Now: in.Now}
	resolved := condition.OfProblems(condition.References(in.Problems)).Warn(condition.Warnings(in.Problems))
	programmed := Programmed(e, in)
	exposed := in.Exposed
	if exposed.Unknown { // which is no reason to doubt the rest
		exposed = condition.Finding{}
	}
	routes := condition.First(condition.Routes(in.Problems), condition.Failing(in.Troubles))
	unusable := condition.OfProblems(condition.Endpoint(in.Problems))
	// A bad route costs less than what is before it, and is known sooner than what comes after it.
	registered := setRegistered(w, e, in.Registered)
	w.Set(v1alpha1.ConditionReady, condition.First(unusable, paused(e), in.Receiver, routes, programmed, exposed, registered))
	w.Set(v1alpha1.ConditionReferencesResolved, resolved)
	w.Set(v1alpha1.ConditionRoutesReady, routes)
	w.Set(v1alpha1.ConditionReceiverAvailable, in.Receiver)
	w.Set(v1alpha1.ConditionProgrammed, programmed)
	if e.Spec.Exposure == nil {
		meta.RemoveStatusCondition(&status.Conditions, v1alpha1.ConditionExposed)
	} else {
		w.Set(v1alpha1.ConditionExposed, in.Exposed.Warn(inTheClear(e, in.ExternalURL)))
	}
	setUnlessOK(w, v1alpha1.ConditionBodiesAccepted, condition.Bodies(in.Troubles))
	setUnlessOK(w, v1alpha1.ConditionSignaturesFresh, condition.Reused(in.Troubles))
	w.SetStalled(condition.OfProblems(condition.Stalling(in.Problems)))
	status.Receiver = receiver(e, in, status.Conditions)
	status.URL = in.ExternalURL + e.Path()
	if in.ExternalURL == "" {
		status.URL = in.BaseURL(Serving(e, in.Name, programmed)) + e.Path()
	}
	return status
}

// setRegistered writes what is known of the webhook at the provider, and returns what of it Ready depends on: while a provider that had the webhook cannot be
// asked, nothing else is doubted. Before anything is known, what was known of this endpoint before is left as it is.
func setRegistered(w condition.Writer, e *v1alpha1.WebhookEndpoint, found *condition.Finding) condition.Finding {
	if e.Spec.Registration == nil {
		meta.RemoveStatusCondition(w.Conditions, v1alpha1.ConditionRegistered)
		return condition.Finding{}
	}
	before := meta.FindStatusCondition(*w.Conditions, v1alpha1.ConditionRegistered)
	if found == nil && before != nil && before.ObservedGeneration == e.Generation {
		if before.Status != metav1.ConditionFalse {
			return condition.Finding{}
		}
		return condition.Finding{Reason: before.Reason, Message: before.Message}
	}
	if found == nil {
		found = &condition.Finding{Reason: v1alpha1.ReasonRegistrationPending, Message: "The webhook was not looked at yet."}
	}
	w.Set(v1alpha1.ConditionRegistered, *found)
	if found.Unknown {
		return condition.Finding{}
	}
	return *found
}

// setUnlessOK writes a condition that is there only when it is false.
func setUnlessOK(w condition.Writer, conditionType string, f condition.Finding) {
	if f.OK() {
		meta.RemoveStatusCondition(w.Conditions, conditionType)
		return
	}
	w.Set(conditionType, f)
}

// inTheClear warns of credentials that everybody between the provider and the cluster can read.
func inTheClear(e *v1alpha1.WebhookEndpoint, url string) string {
	if !strings.HasPrefix(url, "http://") {
		return ""
	}
	factors := &e.Spec.Authentication
	if len(factors.PathToken.SecretRefs)+len(factors.Basic.SecretRefs)+len(factors.Header.SecretRefs) == 0 {
		return ""
	}
	return "the URL begins with http, so what spec.authentication asks for is sent in the clear; " + secure(e)
}

func secure(e *v1alpha1.WebhookEndpoint) string {
	if e.Spec.Exposure.Gateway != nil {
		return "name a listener with TLS in spec.exposure.gateway.parentRefs"
	}
	return "set spec.exposure.ingress.tlsSecretName"
}

// Serving returns the name of the receiver to send requests to: the one that the endpoint asks for, or the former one until that
// has loaded the endpoint.
func Serving(e *v1alpha1.WebhookEndpoint, wanted string, programmed condition.Finding) string {
	if programmed.OK() || e.Status.Receiver == "" {
		return wanted
	}
	return e.Status.Receiver
}

// receiver returns the name of the receiver that serves the endpoint: the former one until the new one has done so for a while.
func receiver(e *v1alpha1.WebhookEndpoint, in Inputs, conditions []metav1.Condition) string {
	former := e.Status.Receiver
	programmed := meta.FindStatusCondition(conditions, v1alpha1.ConditionProgrammed)
	if former == "" || (programmed.Status == metav1.ConditionTrue && in.Now.Sub(programmed.LastTransitionTime.Time) >= in.MoveTime) {
		return in.Name
	}
	return former
}

func paused(e *v1alpha1.WebhookEndpoint) condition.Finding {
	if e.Spec.State != v1alpha1.EndpointPaused {
		return condition.Finding{}
	}
	return condition.Finding{Reason: v1alpha1.ReasonPaused, Message: "spec.state is Paused: requests are answered with 503."}
}

// Programmed says whether the receiver has loaded the endpoint. It is about the endpoint's own generation: what was loaded once stays loaded, whatever happens to other endpoints.
// A route that is mended from elsewhere, by a sink that is there again, has to be loaded once more. A receiver that could not be made
// what it should be has not all of any generation.
func Programmed(e *v1alpha1.WebhookEndpoint, in Inputs) condition.Finding {
	if problems := condition.Endpoint(in.Problems); len(problems) > 0 {
		return condition.Finding{Reason: problems[0].Reason, Message: "The endpoint is not in use: " + answer(problems)}
	}
	if !in.Refused.OK() {
		return in.Refused
	}
	before := meta.FindStatusCondition(e.Status.Conditions, v1alpha1.ConditionProgrammed)
	routes := meta.FindStatusCondition(e.Status.Conditions, v1alpha1.ConditionRoutesReady)
	mended := routes != nil && routes.Status == metav1.ConditionFalse && routes.Reason != v1alpha1.ReasonFilterFailing && condition.Routes(in.Problems).OK()
	if before != nil && before.Status == "True" && before.ObservedGeneration == e.Generation && !mended {
		return condition.Finding{}
	}
	return in.Loaded
}

func answer(problems []render.Problem) string {
	for _, p := range problems {
		if p.Reason == v1alpha1.ReasonPathConflict {
			return "its path belongs to another endpoint."
		}
	}
	return "requests are answered with 503, so that providers send them again."
}

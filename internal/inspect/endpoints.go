package inspect

import (
	"context"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/receiver/admin"
	"github.com/mailvane/mailvane/receiver/metrics"
)

// Readiness is what the status of an object says in short.
type Readiness struct {
	// Ready is True, False or Unknown.
	Ready string `json:"ready"`
	// Reason and Message are those of the condition.
	Reason  string `json:"reason,omitzero"`
	Message string `json:"message,omitzero"`
}

func readinessOf(conditions []metav1.Condition) Readiness {
	ready := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	if ready == nil {
		return Readiness{Ready: string(metav1.ConditionUnknown)}
	}
	return Readiness{Ready: string(ready.Status), Reason: ready.Reason, Message: ready.Message}
}

// Endpoint is an endpoint of a cluster: what its status says, and what its receivers have counted.
type Endpoint struct {
	// Name is "namespace/name"; Provider, State and URL are those of the object.
	Name     string `json:"name"`
	Provider string `json:"provider"`
	State    string `json:"state"`
	URL      string `json:"url,omitzero"`
	Readiness
	// Registered is what the provider's API says of the webhook: True, False or Unknown; empty = it is registered by hand.
	Registered string `json:"registered,omitzero"`
	// RegisteredMessage says it in words.
	RegisteredMessage string `json:"registeredMessage,omitzero"`
	// Receivers counts the pods that serve it, of those that were asked.
	Receivers      int `json:"receivers"`
	metrics.Counts     // what they have counted since they started
}

// Endpoints asks receivers about endpoints. What the receivers do not say is missing, and the error says so.
func Endpoints(ctx context.Context, objects []v1alpha1.WebhookEndpoint, receivers []*Receiver) ([]Endpoint, error) {
	served, err := Ask(ctx, receivers, func(ctx context.Context, r *Receiver) ([]admin.Endpoint, error) { return r.Endpoints(ctx) })
	return mergeEndpoints(objects, served), err
}

func mergeEndpoints(objects []v1alpha1.WebhookEndpoint, served Answers[[]admin.Endpoint]) []Endpoint {
	counted := map[string]Endpoint{}
	for _, answer := range served {
		for i := range answer.Said {
			one := &answer.Said[i]
			sum := counted[one.Name]
			sum.Receivers++
			sum.Counts = sum.Plus(one.Counts)
			counted[one.Name] = sum
		}
	}
	out := make([]Endpoint, 0, len(objects))
	for i := range objects {
		o := &objects[i]
		e := counted[o.Namespace+"/"+o.Name]
		e.Name, e.URL = o.Namespace+"/"+o.Name, o.Status.URL
		e.Provider, e.State = string(o.Spec.Provider.Type), string(o.Spec.State)
		e.Readiness = readinessOf(o.Status.Conditions)
		if c := meta.FindStatusCondition(o.Status.Conditions, v1alpha1.ConditionRegistered); c != nil {
			e.Registered, e.RegisteredMessage = string(c.Status), c.Message
		}
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b Endpoint) int { return strings.Compare(a.Name, b.Name) })
	return out
}

package exposure

import (
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/condition"
	"github.com/mailvane/mailvane/controllers/render/children"
)

// routeStatus is what is read of the status of an HTTPRoute.
type routeStatus struct {
	Parents []parentStatus `json:"parents"`
}

// parentStatus is what one Gateway says of a route.
type parentStatus struct {
	ParentRef struct {
		Group       string `json:"group"`
		Kind        string `json:"kind"`
		Name        string `json:"name"`
		Namespace   string `json:"namespace"`
		SectionName string `json:"sectionName"`
		Port        int32  `json:"port"`
	} `json:"parentRef"`
	Conditions []metav1.Condition `json:"conditions"`
}

// forget drops the conditions of an older generation of the route. A condition without an observed generation counts.
func (p *parentStatus) forget(generation int64) {
	p.Conditions = slices.DeleteFunc(p.Conditions, func(c metav1.Condition) bool {
		return c.ObservedGeneration != 0 && c.ObservedGeneration < generation
	})
}

// isOf reports whether a status is that of a Gateway which the route names.
func (p *parentStatus) isOf(ref v1alpha1.GatewayReference, namespace string) bool {
	sameKind := (p.ParentRef.Kind == "" || p.ParentRef.Kind == "Gateway") &&
		(p.ParentRef.Group == "" || p.ParentRef.Group == children.HTTPRouteKind().Group)
	sameNamespace := p.ParentRef.Namespace == ref.Namespace ||
		(ref.Namespace == "" && p.ParentRef.Namespace == namespace) || (p.ParentRef.Namespace == "" && ref.Namespace == namespace)
	return sameKind && sameNamespace && p.ParentRef.Name == ref.Name
}

// isExactly reports whether its reference is the route's, word for word. A controller may report each listener that the route leaves open.
func (p *parentStatus) isExactly(ref v1alpha1.GatewayReference) bool {
	return p.ParentRef.SectionName == ref.SectionName && p.ParentRef.Port == ref.Port
}

// fills reports whether its reference is the route's with a listener that the route leaves open.
func (p *parentStatus) fills(ref v1alpha1.GatewayReference) bool {
	return (ref.SectionName == "" || p.ParentRef.SectionName == ref.SectionName) && (ref.Port == 0 || p.ParentRef.Port == ref.Port)
}

// refusal returns the condition by which a Gateway rejects the route; nil when it does not.
func (p *parentStatus) refusal() *metav1.Condition {
	for i := range p.Conditions {
		if c := &p.Conditions[i]; (c.Type == "Accepted" || c.Type == "ResolvedRefs") && c.Status == metav1.ConditionFalse {
			return c
		}
	}
	return nil
}

func (p *parentStatus) accepts() bool {
	return p.refusal() == nil && slices.ContainsFunc(p.Conditions, func(c metav1.Condition) bool {
		return c.Type == "Accepted" && c.Status == metav1.ConditionTrue
	})
}

// routeFinding returns the finding whether every Gateway has accepted the route of an endpoint.
func routeFinding(route *unstructured.Unstructured, e *v1alpha1.WebhookEndpoint) condition.Finding {
	var object struct {
		Status routeStatus `json:"status"`
	}
	if route != nil {
		// A status that cannot be read counts as none: the route is pending.
		_ = runtime.DefaultUnstructuredConverter.FromUnstructured(route.Object, &object)
		for i := range object.Status.Parents {
			object.Status.Parents[i].forget(route.GetGeneration())
		}
	}
	var pending condition.Finding
	for _, ref := range e.Spec.Exposure.Gateway.ParentRefs {
		f := gatewayFinding(object.Status.Parents, ref, e.Namespace)
		if !f.OK() && !f.Unknown { // a rejection counts more than a missing status
			return f
		}
		pending = condition.First(pending, f)
	}
	return pending
}

// routeURL returns the host and the path of an HTTPRoute that we made; empty when it is not as we make them.
func routeURL(route *unstructured.Unstructured) string {
	var object struct {
		Spec struct {
			Hostnames []string `json:"hostnames"`
			Rules     []struct {
				Matches []struct {
					Path struct {
						Value string `json:"value"`
					} `json:"path"`
				} `json:"matches"`
			} `json:"rules"`
		} `json:"spec"`
	}
	err := runtime.DefaultUnstructuredConverter.FromUnstructured(route.Object, &object)
	spec := &object.Spec
	if err != nil || len(spec.Hostnames) != 1 || len(spec.Rules) != 1 || len(spec.Rules[0].Matches) != 1 {
		return ""
	}
	return spec.Hostnames[0] + spec.Rules[0].Matches[0].Path.Value
}

// gatewayFinding goes by the conditions that the Gateway API defines for routes. The status for the very reference decides. Of those for
// single listeners which the reference leaves open, one that accepts the route is enough. Without any, the Gateway may not have come to it yet,
// or not exist: that is not known.
func gatewayFinding(parents []parentStatus, ref v1alpha1.GatewayReference, namespace string) condition.Finding {
	var exact, filled []parentStatus
	for _, p := range parents {
		switch {
		case !p.isOf(ref, namespace):
		case p.isExactly(ref):
			exact = append(exact, p)
		case p.fills(ref):
			filled = append(filled, p)
		}
	}
	said := exact
	if len(exact) == 0 {
		said = filled
	}
	accepted := slices.ContainsFunc(said, func(p parentStatus) bool { return p.accepts() })
	for i := range said {
		if c := said[i].refusal(); c != nil && (len(exact) > 0 || !accepted) {
			return condition.Finding{
				Reason: v1alpha1.ReasonRouteRefused, Message: fmt.Sprintf("Gateway %s says %s=False, %s: %s", ref.Name, c.Type, c.Reason, c.Message),
			}
		}
	}
	if accepted {
		return condition.Finding{}
	}
	return condition.Finding{
		Reason: v1alpha1.ReasonRoutePending, Unknown: true,
		Message: fmt.Sprintf("Gateway %s has not said anything of the HTTPRoute; does it exist, and does it have a controller?", ref.Name),
	}
}

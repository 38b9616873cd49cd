package receiver

import (
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/condition"
)

// routeStatus is what is read of the status of an HTTPRoute.
type routeStatus struct {
	Parents []parentStatus `json:"parents"`
}

// parentStatus is what one Gateway says of a route.
type parentStatus struct {
	ParentRef struct {
		Name        string `json:"name"`
		Namespace   string `json:"namespace"`
		SectionName string `json:"sectionName"`
		Port        int32  `json:"port"`
	} `json:"parentRef"`
	Conditions []metav1.Condition `json:"conditions"`
}

// forget leaves out what was said of an older generation of the route. Who says of none which one is meant is believed.
func (p *parentStatus) forget(generation int64) {
	p.Conditions = slices.DeleteFunc(p.Conditions, func(c metav1.Condition) bool {
		return c.ObservedGeneration != 0 && c.ObservedGeneration < generation
	})
}

func (p *parentStatus) isOf(ref v1alpha1.GatewayReference, namespace string) bool {
	sameNamespace := p.ParentRef.Namespace == ref.Namespace ||
		(ref.Namespace == "" && p.ParentRef.Namespace == namespace) || (p.ParentRef.Namespace == "" && ref.Namespace == namespace)
	return sameNamespace && p.ParentRef.Name == ref.Name && p.ParentRef.SectionName == ref.SectionName && p.ParentRef.Port == ref.Port
}

// routeFinding says whether every Gateway has taken the route of an endpoint.
func routeFinding(route *unstructured.Unstructured, e *v1alpha1.WebhookEndpoint) condition.Finding {
	var object struct {
		Status routeStatus `json:"status"`
	}
	if route != nil {
		// What cannot be read is as if it were not there: the route is pending.
		_ = runtime.DefaultUnstructuredConverter.FromUnstructured(route.Object, &object)
		for i := range object.Status.Parents {
			object.Status.Parents[i].forget(route.GetGeneration())
		}
	}
	for _, ref := range e.Spec.Exposure.Gateway.ParentRefs {
		if f := gatewayFinding(object.Status.Parents, ref, e.Namespace); !f.OK() {
			return f
		}
	}
	return condition.Finding{}
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

// gatewayFinding goes by the conditions that the Gateway API defines for routes.
func gatewayFinding(parents []parentStatus, ref v1alpha1.GatewayReference, namespace string) condition.Finding {
	for i := range parents {
		if !parents[i].isOf(ref, namespace) {
			continue
		}
		accepted := false
		for _, c := range parents[i].Conditions {
			if (c.Type == "Accepted" || c.Type == "ResolvedRefs") && c.Status == metav1.ConditionFalse {
				return condition.Finding{
					Reason: v1alpha1.ReasonRouteRefused, Message: fmt.Sprintf("Gateway %s says %s=False, %s: %s", ref.Name, c.Type, c.Reason, c.Message),
				}
			}
			accepted = accepted || (c.Type == "Accepted" && c.Status == metav1.ConditionTrue)
		}
		if accepted {
			return condition.Finding{}
		}
	}
	return condition.Finding{
		Reason: v1alpha1.ReasonRoutePending, Message: fmt.Sprintf("Gateway %s has not taken the HTTPRoute; does it exist, and does it have a controller?", ref.Name),
	}
}

// Package limits says what an installation lets endpoints ask of the manager. The admission policies ask whether the author of an
// endpoint may do himself what the manager does for him; these limits hold for everybody, and where there are no policies. It is pure.
package limits

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mailvane/mailvane/api/v1alpha1"
)

// others stands, in Hosts, for the namespaces that are not named.
const others = "*"

// Limits are what endpoints may ask for. In each list, a word that ends with * stands for all that begin like it.
type Limits struct {
	// IngressAnnotations are the annotations that spec.exposure.ingress may put on an Ingress. Many controllers take orders by them.
	IngressAnnotations []string `json:"ingressAnnotations"`
	// Hosts are, by namespace, the hosts that its endpoints may be exposed at: hooks.example.com, *.example.com for every host below that,
	// or * for any. Namespace * stands for those that are not listed. Without any, every namespace may have any host.
	Hosts map[string][]string `json:"hosts"`
	// PriorityClassNames are those that spec.receiver.placement may name.
	PriorityClassNames []string `json:"priorityClassNames"`
	// TolerationKeys are the keys of the taints that spec.receiver.placement may tolerate. One without a key tolerates everything, and needs *.
	TolerationKeys []string `json:"tolerationKeys"`
	// MaxReplicas is the largest number of pods of an endpoint's own receiver.
	MaxReplicas int32 `json:"maxReplicas"`
}

// Default returns the limits of an installation that says nothing of them. The annotations are those that choose a certificate, and bound or
// encrypt requests; none of them has a controller read a Secret, run a text or make a name public.
func Default() Limits {
	return Limits{
		IngressAnnotations: []string{
			"acme.cert-manager.io/http01-edit-in-place",
			"cert-manager.io/cluster-issuer",
			"cert-manager.io/issuer",
			"cert-manager.io/issuer-group",
			"cert-manager.io/issuer-kind",
			"nginx.ingress.kubernetes.io/force-ssl-redirect",
			"nginx.ingress.kubernetes.io/proxy-body-size",
			"nginx.ingress.kubernetes.io/ssl-redirect",
			"traefik.ingress.kubernetes.io/router.entrypoints",
			"traefik.ingress.kubernetes.io/router.tls",
		},
		MaxReplicas: 20,
	}
}

// Where says why an endpoint may not be at its host and path; empty when it may. A path below /hooks/<namespace>/ belongs to that namespace.
func (l *Limits) Where(e *v1alpha1.WebhookEndpoint) string {
	host := e.Spec.Exposure.Host
	if len(l.Hosts) > 0 {
		patterns, listed := l.Hosts[e.Namespace]
		if !listed {
			patterns = l.Hosts[others]
		}
		if !slices.ContainsFunc(patterns, func(pattern string) bool { return isHost(pattern, host) }) {
			return fmt.Sprintf("namespace %s may not have host %s: use %s, or have the installation's limits say otherwise", e.Namespace, host, oneOf(patterns))
		}
	}
	if owner := ReservedFor(e); owner != "" && owner != e.Namespace {
		return fmt.Sprintf("paths below /hooks/%s/ belong to namespace %s; use one below /hooks/%s/, or another one", owner, owner, e.Namespace)
	}
	return ""
}

// ReservedFor returns the namespace that the path of an endpoint is reserved for; empty when it is free. With a path token, the endpoint takes
// everything below its path.
func ReservedFor(e *v1alpha1.WebhookEndpoint) string {
	segments := strings.Split(strings.TrimPrefix(e.Path(), "/"), "/")
	takesAll := len(e.Spec.Authentication.PathToken.SecretRefs) > 0
	switch {
	case segments[0] != "hooks":
		return ""
	case len(segments) > 2, len(segments) == 2 && takesAll:
		return segments[1]
	case len(segments) == 1 && takesAll:
		return others
	default:
		return ""
	}
}

// Annotations says which annotations an endpoint may not have on its Ingress; empty when it may have all that it asks for.
func (l *Limits) Annotations(e *v1alpha1.WebhookEndpoint) string {
	if e.Spec.Exposure.Ingress == nil {
		return ""
	}
	for _, name := range slices.Sorted(maps.Keys(e.Spec.Exposure.Ingress.Annotations)) {
		if !isAmong(l.IngressAnnotations, name) {
			return fmt.Sprintf("annotation %s is not among those that the installation's limits let endpoints put on an Ingress: %s",
				name, strings.Join(l.IngressAnnotations, ", "))
		}
	}
	return ""
}

// Receiver says what an endpoint may not ask of its own receiver; empty when it may have all that it asks for.
func (l *Limits) Receiver(r *v1alpha1.Receiver) string {
	if pods := max(r.Replicas, r.Autoscaling.MaxReplicas); pods > l.MaxReplicas {
		return fmt.Sprintf("spec.receiver asks for up to %d pods; the installation's limits allow %d", pods, l.MaxReplicas)
	}
	if name := r.Placement.PriorityClassName; name != "" && !isAmong(l.PriorityClassNames, name) {
		return fmt.Sprintf("spec.receiver.placement.priorityClassName: the installation's limits allow %s, not %s", oneOf(l.PriorityClassNames), name)
	}
	for i, t := range r.Placement.Tolerations {
		if !isAmong(l.TolerationKeys, t.Key) {
			return fmt.Sprintf("spec.receiver.placement.tolerations[%d]: the installation's limits allow %s as keys, not %q", i, oneOf(l.TolerationKeys), t.Key)
		}
	}
	return ""
}

func oneOf(words []string) string {
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, ", ")
}

func isAmong(words []string, name string) bool {
	return slices.ContainsFunc(words, func(word string) bool {
		prefix, isPrefix := strings.CutSuffix(word, "*")
		return word == name || (isPrefix && strings.HasPrefix(name, prefix))
	})
}

func isHost(pattern, host string) bool {
	domain, below := strings.CutPrefix(pattern, "*.")
	return pattern == "*" || pattern == host || (below && strings.HasSuffix(host, "."+domain))
}

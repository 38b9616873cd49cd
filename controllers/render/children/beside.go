package children

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	networkingv1ac "k8s.io/client-go/applyconfigurations/networking/v1"
)

// tlsAnnotation holds, on an Ingress, the host and the Secret of the entry of spec.tls that is ours. Others may add entries of their own.
const tlsAnnotation = "mailvane.dev/tls"

// Beside returns the Ingress of an endpoint together with what others have added to the one that is there, and whether that one is like this
// already. The lists of an Ingress belong as a whole to whoever writes them last: without this, cert-manager, which adds the path of its
// challenge, and the manager would take turns.
func Beside(own *networkingv1ac.IngressApplyConfiguration, present *networkingv1.Ingress) (whole *networkingv1ac.IngressApplyConfiguration, same bool, err error) {
	var wanted networkingv1.Ingress
	if err := convert(own, &wanted); err != nil {
		return nil, false, err
	}
	wanted.Spec.Rules = rules(&wanted, present)
	wanted.Spec.TLS = tls(&wanted, present)
	whole = &networkingv1ac.IngressApplyConfiguration{}
	if err := convert(own, whole); err != nil {
		return nil, false, err
	}
	var spec networkingv1ac.IngressSpecApplyConfiguration
	if err := convert(&wanted.Spec, &spec); err != nil {
		return nil, false, err
	}
	whole.Spec = &spec
	return whole, holds(present, &wanted), nil
}

// holds says whether an Ingress is as it is wanted. What else it has is others', and so is the class where none is asked for.
func holds(present, wanted *networkingv1.Ingress) bool {
	class := wanted.Spec.IngressClassName
	return isSubset(present.Labels, wanted.Labels) && isSubset(present.Annotations, wanted.Annotations) &&
		slices.ContainsFunc(present.OwnerReferences, func(o metav1.OwnerReference) bool {
			return equality.Semantic.DeepEqual(o, wanted.OwnerReferences[0])
		}) &&
		(class == nil || equality.Semantic.DeepEqual(present.Spec.IngressClassName, class)) &&
		equality.Semantic.DeepEqual(present.Spec.Rules, wanted.Spec.Rules) && equality.Semantic.DeepEqual(present.Spec.TLS, wanted.Spec.TLS)
}

func isSubset(all, some map[string]string) bool {
	for key, value := range some {
		if got, there := all[key]; !there || got != value {
			return false
		}
	}
	return true
}

// rules returns the rules that are there, in their order, with our path in the place of ours, and without those that led to a receiver before.
func rules(wanted, present *networkingv1.Ingress) []networkingv1.IngressRule {
	own := wanted.Spec.Rules[0]
	ownPath, placed := own.HTTP.Paths[0], false
	var all []networkingv1.IngressRule
	for _, rule := range present.Spec.Rules {
		kept := networkingv1.IngressRule{Host: rule.Host}
		kept.HTTP = &networkingv1.HTTPIngressRuleValue{}
		for _, path := range pathsOf(rule) {
			switch {
			case rule.Host == own.Host && path.Path == ownPath.Path:
				if !placed {
					kept.HTTP.Paths, placed = append(kept.HTTP.Paths, ownPath), true
				}
			case !leadsToReceiver(path):
				kept.HTTP.Paths = append(kept.HTTP.Paths, path)
			}
		}
		if len(kept.HTTP.Paths) > 0 {
			all = append(all, kept)
		}
	}
	if placed {
		return all
	}
	for i := range all {
		if all[i].Host == own.Host {
			all[i].HTTP.Paths = append(all[i].HTTP.Paths, ownPath)
			return all
		}
	}
	return append(all, own)
}

func pathsOf(rule networkingv1.IngressRule) []networkingv1.HTTPIngressPath {
	if rule.HTTP == nil {
		return nil
	}
	return rule.HTTP.Paths
}

// leadsToReceiver says whether a path is one that we wrote.
func leadsToReceiver(path networkingv1.HTTPIngressPath) bool {
	service := path.Backend.Service
	return service != nil && strings.HasPrefix(service.Name, "mailvane-") && strings.HasSuffix(service.Name, "-receiver")
}

// tls returns the entries that are there, in their order, with ours in its place, and without the one that was ours before.
func tls(wanted, present *networkingv1.Ingress) []networkingv1.IngressTLS {
	var all []networkingv1.IngressTLS
	before, placed := present.Annotations[tlsAnnotation], len(wanted.Spec.TLS) == 0
	for _, entry := range present.Spec.TLS {
		switch {
		case len(wanted.Spec.TLS) > 0 && equality.Semantic.DeepEqual(entry, wanted.Spec.TLS[0]):
			if !placed {
				all, placed = append(all, entry), true
			}
		case before == "" || noted(entry) != before:
			all = append(all, entry)
		}
	}
	if placed {
		return all
	}
	return append(all, wanted.Spec.TLS[0])
}

// noted returns how an entry with one host is noted; empty for those of others, which may have several.
func noted(entry networkingv1.IngressTLS) string {
	if len(entry.Hosts) != 1 {
		return ""
	}
	return entry.Hosts[0] + " " + entry.SecretName
}

// IngressURL returns the host and the path at which an Ingress that we made leads to a receiver; empty when it does not.
func IngressURL(ingress *networkingv1.Ingress) string {
	for _, rule := range ingress.Spec.Rules {
		for _, path := range pathsOf(rule) {
			if leadsToReceiver(path) {
				return rule.Host + path.Path
			}
		}
	}
	return ""
}

// convert makes an object of another type with the same fields.
func convert(from, to any) error {
	text, err := json.Marshal(from)
	if err != nil {
		return fmt.Errorf("encode Ingress: %w", err)
	}
	if err := json.Unmarshal(text, to); err != nil {
		return fmt.Errorf("decode Ingress: %w", err)
	}
	return nil
}

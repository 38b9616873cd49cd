package children_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	networkingv1 "k8s.io/api/networking/v1"
	networkingv1ac "k8s.io/client-go/applyconfigurations/networking/v1"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/render/children"
)

// made returns the Ingress of an endpoint at a host and path, whose certificate is in a Secret.
func made(host, path, secret, receiver string) *networkingv1ac.IngressApplyConfiguration {
	e := &v1alpha1.WebhookEndpoint{}
	e.Namespace, e.Name, e.UID, e.Spec.Path = "mail", "crm", "1", path
	e.Spec.Exposure = &v1alpha1.Exposure{Host: host, Ingress: &v1alpha1.IngressExposure{ClassName: "nginx", TLSSecretName: secret}}
	own, ok := children.Exposure(e, receiver).(*networkingv1ac.IngressApplyConfiguration)
	if !ok {
		return nil
	}
	return own
}

func there(t *testing.T, configuration *networkingv1ac.IngressApplyConfiguration) *networkingv1.Ingress {
	t.Helper()
	var ingress networkingv1.Ingress
	text, err := json.Marshal(configuration)
	if err == nil {
		err = json.Unmarshal(text, &ingress)
	}
	if err != nil {
		t.Fatal(err)
	}
	return &ingress
}

// outline returns the paths and certificates of an Ingress.
func outline(ingress *networkingv1.Ingress) []string {
	var lines []string
	for _, rule := range ingress.Spec.Rules {
		for _, p := range rule.HTTP.Paths {
			lines = append(lines, rule.Host+p.Path+" "+string(*p.PathType)+" -> "+p.Backend.Service.Name)
		}
	}
	for _, entry := range ingress.Spec.TLS {
		lines = append(lines, fmt.Sprintf("%s: %s", strings.Join(entry.Hosts, ","), entry.SecretName))
	}
	return lines
}

// TestWhatOthersAddStays has an Ingress to which others, or an earlier version of the endpoint, have given paths and certificates.
func TestWhatOthersAddStays(t *testing.T) {
	t.Parallel()
	const (
		own       = "hooks.example.com/hooks/crm Exact -> mailvane-receiver"
		challenge = "hooks.example.com/.well-known/acme-challenge/TOKEN Exact -> cm-acme-http-solver-x"
		ownTLS    = "hooks.example.com: hooks-tls"
	)
	exact := networkingv1.PathTypeExact
	path := func(path, service string) networkingv1.HTTPIngressPath {
		return networkingv1.HTTPIngressPath{Path: path, PathType: &exact, Backend: networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{
			Name: service, Port: networkingv1.ServiceBackendPort{Number: 8089},
		}}}
	}
	solver := path("/.well-known/acme-challenge/TOKEN", "cm-acme-http-solver-x")
	type rules = []networkingv1.IngressRule
	rule := func(host string, paths ...networkingv1.HTTPIngressPath) networkingv1.IngressRule {
		r := networkingv1.IngressRule{Host: host}
		r.HTTP = &networkingv1.HTTPIngressRuleValue{Paths: paths}
		return r
	}
	for name, tc := range map[string]struct {
		reason string
		before *networkingv1ac.IngressApplyConfiguration
		change func(*networkingv1.Ingress)
		want   []string
		same   bool
	}{
		"nothing is there": {"", nil, nil, []string{own, ownTLS}, false},
		"as it was":        {"", made("hooks.example.com", "/hooks/crm", "hooks-tls", "mailvane-receiver"), func(*networkingv1.Ingress) {}, []string{own, ownTLS}, true},
		"a challenge before ours": {"cert-manager puts it first", made("hooks.example.com", "/hooks/crm", "hooks-tls", "mailvane-receiver"), func(i *networkingv1.Ingress) {
			i.Spec.Rules[0].HTTP.Paths = append([]networkingv1.HTTPIngressPath{solver}, i.Spec.Rules[0].HTTP.Paths...)
		}, []string{challenge, own, ownTLS}, true},
		"a challenge of another host": {"", made("hooks.example.com", "/hooks/crm", "hooks-tls", "mailvane-receiver"), func(i *networkingv1.Ingress) {
			i.Spec.Rules = append(i.Spec.Rules, rule("www.example.com", solver))
		}, []string{own, "www.example.com/.well-known/acme-challenge/TOKEN Exact -> cm-acme-http-solver-x", ownTLS}, true},
		"labels, annotations and certificates": {"", made("hooks.example.com", "/hooks/crm", "hooks-tls", "mailvane-receiver"), func(i *networkingv1.Ingress) {
			i.Labels["team"], i.Annotations["cert-manager.io/any"] = "mail", "x"
			i.Spec.TLS = append(i.Spec.TLS, networkingv1.IngressTLS{Hosts: []string{"a.example.com", "b.example.com"}, SecretName: "more"}, networkingv1.IngressTLS{Hosts: []string{"c.example.com"}, SecretName: "c"})
		}, []string{own, ownTLS, "a.example.com,b.example.com: more", "c.example.com: c"}, true},
		"another path of ours": {"the endpoint has moved", made("hooks.example.com", "/hooks/old", "hooks-tls", "mailvane-receiver"), func(i *networkingv1.Ingress) {
			i.Spec.Rules[0].HTTP.Paths = append(i.Spec.Rules[0].HTTP.Paths, solver)
		}, []string{challenge, own, ownTLS}, false},
		"another host of ours":     {"", made("old.example.com", "/hooks/crm", "old-tls", "mailvane-receiver"), func(*networkingv1.Ingress) {}, []string{own, ownTLS}, false},
		"another receiver of ours": {"", made("hooks.example.com", "/hooks/crm", "hooks-tls", "mailvane-crm-receiver"), func(*networkingv1.Ingress) {}, []string{own, ownTLS}, false},
		"another Secret of ours":   {"", made("hooks.example.com", "/hooks/crm", "old-tls", "mailvane-receiver"), func(*networkingv1.Ingress) {}, []string{own, ownTLS}, false},
		"our path led elsewhere": {"drift is repaired", made("hooks.example.com", "/hooks/crm", "hooks-tls", "mailvane-receiver"), func(i *networkingv1.Ingress) {
			i.Spec.Rules[0].HTTP.Paths[0].Backend.Service.Name = "evil"
		}, []string{own, ownTLS}, false},
		"our path is gone": {"drift is repaired", made("hooks.example.com", "/hooks/crm", "hooks-tls", "mailvane-receiver"), func(i *networkingv1.Ingress) {
			i.Spec.Rules = rules{rule("hooks.example.com", solver)}
		}, []string{challenge, own, ownTLS}, false},
		"our certificate is gone": {"drift is repaired", made("hooks.example.com", "/hooks/crm", "hooks-tls", "mailvane-receiver"), func(i *networkingv1.Ingress) { i.Spec.TLS = nil }, []string{own, ownTLS}, false},
		"our annotation is gone":  {"drift is repaired", made("hooks.example.com", "/hooks/crm", "hooks-tls", "mailvane-receiver"), func(i *networkingv1.Ingress) { i.Annotations = nil }, []string{own, ownTLS}, false},
		"our owner is gone":       {"drift is repaired", made("hooks.example.com", "/hooks/crm", "hooks-tls", "mailvane-receiver"), func(i *networkingv1.Ingress) { i.OwnerReferences = nil }, []string{own, ownTLS}, false},
		"another class":           {"drift is repaired", made("hooks.example.com", "/hooks/crm", "hooks-tls", "mailvane-receiver"), func(i *networkingv1.Ingress) { i.Spec.IngressClassName = new("other") }, []string{own, ownTLS}, false},
		"a rule without paths": {"it leads nowhere", made("hooks.example.com", "/hooks/crm", "hooks-tls", "mailvane-receiver"), func(i *networkingv1.Ingress) {
			i.Spec.Rules = append(i.Spec.Rules, networkingv1.IngressRule{Host: "x"})
		}, []string{own, ownTLS}, false},
		"of a version without a note": {"", made("hooks.example.com", "/hooks/crm", "hooks-tls", "mailvane-receiver"), func(i *networkingv1.Ingress) { delete(i.Annotations, "mailvane.dev/tls") }, []string{own, ownTLS}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			present := &networkingv1.Ingress{}
			if tc.before != nil {
				present = there(t, tc.before)
				tc.change(present)
			}
			wanted := made("hooks.example.com", "/hooks/crm", "hooks-tls", "mailvane-receiver")
			whole, same, err := children.Beside(wanted, present)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, outline(there(t, whole))); diff != "" || same != tc.same {
				t.Errorf("%s: same %t (-want +got):\n%s", tc.reason, same, diff)
			}
			if tc.before == nil {
				return
			}
			if _, again, err := children.Beside(wanted, there(t, whole)); err != nil || !again {
				t.Errorf("%s: it would be written again and again, %v", tc.reason, err)
			}
		})
	}
}

// TestManySinksAreNoted has more sinks than the names of which fit into annotations.
func TestManySinksAreNoted(t *testing.T) {
	t.Parallel()
	r := children.Receiver{Namespace: "mail", Name: "mailvane-crm-receiver"}
	names := func(n int) []string {
		all := make([]string, n)
		for i := range all {
			all[i] = fmt.Sprintf("%s%d", strings.Repeat("s", 240), i)
		}
		return all
	}
	secrets, err := r.ConfigSecrets([]byte("{}"), names(5_000))
	if err != nil {
		t.Fatal(err)
	}
	secret := secrets[0]
	size := 0
	for key, value := range secret.Annotations {
		size += len(key) + len(value)
	}
	if size > 256<<10 {
		t.Errorf("annotations of %d bytes", size)
	}
	all := append(names(5_000), "other", "s")
	if diff := cmp.Diff(names(5_000), children.KnownSinks(secret.Annotations, all)); diff != "" {
		t.Errorf("known (-want +got):\n%s", diff)
	}
	if got := children.KnownSinks(nil, all); len(got) != 0 {
		t.Errorf("without a note, %d are known", len(got))
	}
	if _, err := r.ConfigSecrets([]byte("{}"), names(20_000)); err == nil || !strings.Contains(err.Error(), "20000 sinks") {
		t.Errorf("too many: %v", err)
	}
}

// TestSinksThatAnEarlierReleaseNoted reads names, which that release wrote, and what was written since.
func TestSinksThatAnEarlierReleaseNoted(t *testing.T) {
	t.Parallel()
	for note, reason := range map[string]string{
		"crm,former":   "by name, as an earlier release did",
		"former,crm,x": "one of them has gone",
	} {
		annotations := map[string]string{"mailvane.dev/sinks": note}
		if diff := cmp.Diff([]string{"crm", "former"}, children.KnownSinks(annotations, []string{"crm", "former", "other"})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", reason, diff)
		}
	}
}

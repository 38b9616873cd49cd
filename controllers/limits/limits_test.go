package limits_test

import (
	"strings"
	"testing"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/limits"
)

func endpoint(namespace, host, path string, token bool) *v1alpha1.WebhookEndpoint {
	e := &v1alpha1.WebhookEndpoint{}
	e.Namespace, e.Name, e.Spec.Path = namespace, "e", path
	e.Spec.Exposure = &v1alpha1.Exposure{Host: host, Ingress: &v1alpha1.IngressExposure{}}
	if token {
		e.Spec.Authentication.PathToken.SecretRefs = []v1alpha1.SecretKeyReference{{Name: "a", Key: "b"}}
	}
	return e
}

func TestWhere(t *testing.T) {
	t.Parallel()
	hosts := map[string][]string{"mail": {"hooks.example.com", "*.mail.example.com"}, "free": {"*"}, "none": {}, "*": {"shared.example.com"}}
	for name, tc := range map[string]struct {
		reason   string
		hosts    map[string][]string
		endpoint *v1alpha1.WebhookEndpoint
		want     string
	}{
		"no limits":             {"", nil, endpoint("mail", "bank.example.com", "", false), ""},
		"empty limits":          {"a chart writes {}", map[string][]string{}, endpoint("mail", "bank.example.com", "", false), ""},
		"its host":              {"", hosts, endpoint("mail", "hooks.example.com", "", false), ""},
		"below its domain":      {"", hosts, endpoint("mail", "a.b.mail.example.com", "", false), ""},
		"its domain itself":     {"it is not below", hosts, endpoint("mail", "mail.example.com", "", false), "may not have host"},
		"a name that ends so":   {"", hosts, endpoint("mail", "notmail.example.com", "", false), "may not have host"},
		"another's host":        {"", hosts, endpoint("mail", "shared.example.com", "", false), "may not have host"},
		"any host":              {"", hosts, endpoint("free", "bank.example.com", "", false), ""},
		"no host":               {"", hosts, endpoint("none", "shared.example.com", "", false), "use none"},
		"not listed":            {"", hosts, endpoint("other", "shared.example.com", "", false), ""},
		"not listed, elsewhere": {"", hosts, endpoint("other", "hooks.example.com", "", false), "use shared.example.com"},

		"the default path":                {"", nil, endpoint("mail", "a", "", false), ""},
		"below its namespace":             {"", nil, endpoint("mail", "a", "/hooks/mail/any/thing", true), ""},
		"below another namespace":         {"", nil, endpoint("mail", "a", "/hooks/sales/crm", false), "belong to namespace sales"},
		"deep below another namespace":    {"", nil, endpoint("mail", "a", "/hooks/sales/a/b", false), "belong to namespace sales"},
		"another namespace's name":        {"no endpoint is there by default", nil, endpoint("mail", "a", "/hooks/sales", false), ""},
		"all of another namespace":        {"a token takes what is below", nil, endpoint("mail", "a", "/hooks/sales", true), "belong to namespace sales"},
		"all of its namespace":            {"", nil, endpoint("mail", "a", "/hooks/mail", true), ""},
		"all namespaces":                  {"", nil, endpoint("mail", "a", "/hooks", true), "belong to namespace"},
		"hooks itself":                    {"", nil, endpoint("mail", "a", "/hooks", false), ""},
		"elsewhere":                       {"", nil, endpoint("mail", "a", "/other/sales/crm", true), ""},
		"a namespace that begins like it": {"", nil, endpoint("mail", "a", "/hooks/mail2/x", false), "belong to namespace mail2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := limits.Limits{Hosts: tc.hosts}
			if got := l.Where(tc.endpoint); (got == "") != (tc.want == "") || !strings.Contains(got, tc.want) {
				t.Errorf("%s: got %q, want %q", tc.reason, got, tc.want)
			}
		})
	}
}

// TestAnnotations has those by which controllers have read Secrets, run text, or sent requests elsewhere.
func TestAnnotations(t *testing.T) {
	t.Parallel()
	standard := limits.Default()
	wide := limits.Limits{IngressAnnotations: []string{"example.com/*"}}
	for name, tc := range map[string]struct {
		limits     limits.Limits
		annotation string
		allowed    bool
	}{
		"certificate":        {standard, "cert-manager.io/cluster-issuer", true},
		"size of bodies":     {standard, "nginx.ingress.kubernetes.io/proxy-body-size", true},
		"snippet":            {standard, "nginx.ingress.kubernetes.io/configuration-snippet", false},
		"server snippet":     {standard, "nginx.ingress.kubernetes.io/server-snippet", false},
		"Secret":             {standard, "nginx.ingress.kubernetes.io/auth-secret", false},
		"client certificate": {standard, "nginx.ingress.kubernetes.io/auth-tls-secret", false},
		"another server":     {standard, "nginx.ingress.kubernetes.io/auth-url", false},
		"mirror":             {standard, "nginx.ingress.kubernetes.io/mirror-target", false},
		"middleware":         {standard, "traefik.ingress.kubernetes.io/router.middlewares", false},
		"HAProxy snippet":    {standard, "haproxy.org/backend-config-snippet", false},
		"DNS name":           {standard, "external-dns.alpha.kubernetes.io/hostname", false},
		"our own":            {standard, "mailvane.dev/tls", false},
		"begins like one":    {standard, "cert-manager.io/cluster-issuer-x", false},
		"by a prefix":        {wide, "example.com/any", true},
		"not by the prefix":  {wide, "example.org/any", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := endpoint("mail", "a", "", false)
			e.Spec.Exposure.Ingress.Annotations = map[string]string{tc.annotation: "x"}
			if got := tc.limits.Annotations(e); (got == "") != tc.allowed || (!tc.allowed && !strings.Contains(got, tc.annotation)) {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestReceiver(t *testing.T) {
	t.Parallel()
	standard, wide := limits.Default(), limits.Limits{PriorityClassNames: []string{"mail-*"}, TolerationKeys: []string{"*"}, MaxReplicas: 100}
	tolerating := func(key string) v1alpha1.Receiver {
		return v1alpha1.Receiver{Placement: v1alpha1.Placement{Tolerations: []v1alpha1.Toleration{{Key: key, Operator: "Exists"}}}}
	}
	classed := func(name string) v1alpha1.Receiver {
		return v1alpha1.Receiver{Placement: v1alpha1.Placement{PriorityClassName: name}}
	}
	for name, tc := range map[string]struct {
		limits   limits.Limits
		receiver v1alpha1.Receiver
		want     string
	}{
		"nothing":           {standard, v1alpha1.Receiver{}, ""},
		"pods":              {standard, v1alpha1.Receiver{Replicas: 20}, ""},
		"too many pods":     {standard, v1alpha1.Receiver{Replicas: 21}, "allow 20"},
		"too many, by load": {standard, v1alpha1.Receiver{Autoscaling: v1alpha1.Autoscaling{MaxReplicas: 100}}, "allow 20"},
		"more, allowed":     {wide, v1alpha1.Receiver{Replicas: 100}, ""},
		"critical":          {standard, classed("system-node-critical"), "priorityClassName"},
		"class":             {wide, classed("mail-high"), ""},
		"another class":     {wide, classed("system-node-critical"), "allow mail-*"},
		"every taint":       {standard, tolerating(""), "tolerations[0]"},
		"control plane":     {standard, tolerating("node-role.kubernetes.io/control-plane"), "tolerations[0]"},
		"any, allowed":      {wide, tolerating(""), ""},
		"nodes":             {standard, v1alpha1.Receiver{Placement: v1alpha1.Placement{NodeSelector: map[string]v1alpha1.NodeLabelValue{"disk": "fast"}}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := tc.limits.Receiver(&tc.receiver); (got == "") != (tc.want == "") || !strings.Contains(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

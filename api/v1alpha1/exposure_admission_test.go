package v1alpha1_test

import (
	"strings"
	"testing"

	"github.com/mailvane/mailvane/api/v1alpha1"
)

func TestExposure(t *testing.T) {
	t.Parallel()

	exposed := func(exposure string) string { return engageLab + routes + "\nexposure: " + exposure }
	host := func(name string) string { return exposed("{host: '" + name + "', ingress: {}}") }
	runCreate(t, v1alpha1.WebhookEndpointKind, map[string]admissionCase{
		"ingress": {"all of it", exposed("{host: hooks.example.com, ingress: {className: nginx, tlsSecretName: hooks-tls, annotations: {cert-manager.io/cluster-issuer: main}}}"), ""},
		"gateway": {"all of it", exposed("{host: hooks.example.com, gateway: {parentRefs: [{name: main, namespace: infra, sectionName: https, port: 443}]}}"), ""},
		"neither": {"nothing would be made", exposed("{host: hooks.example.com}"), "spec.exposure: exactly one of ingress and gateway"},
		"both":    {"one object for each endpoint", exposed("{host: hooks.example.com, ingress: {}, gateway: {parentRefs: [{name: main}]}}"), "spec.exposure: exactly one of ingress and gateway"},

		"no host":         {"required", exposed("{ingress: {}}"), "spec.exposure.host: Required"},
		"wildcard":        {"an endpoint has one URL", host("*.example.com"), "spec.exposure.host: must not have a wildcard"},
		"upper case":      {"names of hosts have no case", host("Hooks.example.com"), "spec.exposure.host: must be a host name"},
		"a URL":           {"a host is no URL", host("https://hooks.example.com"), "spec.exposure.host: must be a host name"},
		"a port":          {"a host is no address", host("hooks.example.com:8443"), "spec.exposure.host: must be a host name"},
		"a long host":     {"bounded", host(strings.Repeat("a", 254)), "spec.exposure.host: Too long"},
		"no annotation":   {"an empty field is left out", exposed("{host: hooks.example.com, ingress: {annotations: {}}}"), "spec.exposure.ingress.annotations: at least 1"},
		"class":           {"a name", exposed("{host: hooks.example.com, ingress: {className: Nginx}}"), "spec.exposure.ingress.className: should match"},
		"TLS Secret":      {"a name", exposed("{host: hooks.example.com, ingress: {tlsSecretName: a/b}}"), "spec.exposure.ingress.tlsSecretName: should match"},
		"no Gateway":      {"a route belongs to one", exposed("{host: hooks.example.com, gateway: {parentRefs: []}}"), "spec.exposure.gateway.parentRefs: at least 1"},
		"unnamed Gateway": {"required", exposed("{host: hooks.example.com, gateway: {parentRefs: [{namespace: infra}]}}"), "spec.exposure.gateway.parentRefs[0].name: Required"},
		"port":            {"bounded", exposed("{host: hooks.example.com, gateway: {parentRefs: [{name: a, port: 70000}]}}"), "spec.exposure.gateway.parentRefs[0].port: less than or equal to 65535"},
	})
}

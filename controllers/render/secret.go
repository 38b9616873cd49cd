package render

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mailvane/mailvane/api/v1alpha1"
)

// EndpointSecrets returns the names of the Secrets that an endpoint refers to, sorted.
func EndpointSecrets(e *v1alpha1.WebhookEndpoint) []string {
	return secretNames(func(s *settingsResolver) {
		s.plugin(string(e.Spec.Provider.Type), e.Spec.Provider, "", nil)
		authentication(s, e.Spec.Authentication)
	})
}

// SinkSecrets returns the names of the Secrets that a sink refers to, sorted.
func SinkSecrets(sink *v1alpha1.EventSink) []string {
	return secretNames(func(s *settingsResolver) { s.plugin(string(sink.Spec.Type), sink.Spec, "", nil) })
}

// secretNames returns which Secrets a resolver asks for.
func secretNames(resolve func(*settingsResolver)) []string {
	names := map[string]bool{}
	resolve(&settingsResolver{secret: func(_, name string) (map[string][]byte, bool) {
		names[name] = true
		return nil, false
	}})
	return slices.Sorted(maps.Keys(names))
}

// secretKey returns the value of a Secret's key. A value that could never match what a provider sends is a problem:
// most of all the line break that echo leaves behind, which nobody sees.
func (s *settingsResolver) secretKey(field, name, key string) string {
	data, found := s.secret(s.object.Namespace, name)
	value, hasKey := data[key]
	related := Object{Kind: "Secret", Namespace: s.object.Namespace, Name: name}
	switch {
	case !found:
		s.addRelated(related, field, v1alpha1.ReasonSecretNotFound, "Secret %q does not exist in namespace %q", name, s.object.Namespace)
	case !hasKey && len(data) == 0:
		s.addRelated(related, field, v1alpha1.ReasonCredentialMissing, "Secret %q has no key %q; it is empty", name, key)
	case !hasKey:
		s.addRelated(related, field, v1alpha1.ReasonCredentialMissing, "Secret %q has no key %q; it has %s",
			name, key, strings.Join(slices.Sorted(maps.Keys(data)), ", "))
	case len(value) == 0:
		s.addRelated(related, field, v1alpha1.ReasonCredentialInvalid, "Secret %q key %q is empty", name, key)
	case bytes.HasSuffix(value, []byte("\n")), bytes.HasSuffix(value, []byte("\r")):
		s.addRelated(related, field, v1alpha1.ReasonCredentialInvalid,
			"Secret %q key %q ends with a line break; recreate it without one (printf %%s, not echo)", name, key)
	case !utf8.Valid(value):
		s.addRelated(related, field, v1alpha1.ReasonCredentialInvalid, "Secret %q key %q is not UTF-8 text; is it encoded twice?", name, key)
	}
	return string(value)
}

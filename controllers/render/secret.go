package render

import (
	"fmt"
	"maps"
	"slices"

	"github.com/mailvane/mailvane/api/v1alpha1"
)

// EndpointSecrets returns the names of the Secrets that an endpoint refers to, sorted.
func EndpointSecrets(e *v1alpha1.WebhookEndpoint) []string {
	return secretNames(func(s *settingsResolver) {
		s.taken(e)
		s.plugin(string(e.Spec.Provider.Type), e.Spec.Provider, "", nil)
		authentication(s, e.Spec.Authentication)
	})
}

// SinkSecrets returns the names of the Secrets that a sink refers to, sorted.
func SinkSecrets(sink *v1alpha1.EventSink) []string {
	return secretNames(func(s *settingsResolver) {
		s.plugin(string(sink.Spec.Type), sink.Spec, "", nil)
		s.content(&sink.Spec.Content)
	})
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

// maxEdits is in how many letters a key may differ from one that a Secret has for that to be named. The names of all keys are nobody's
// business who may not read the Secret.
const maxEdits = 2

// secretKey returns the value of a Secret's key, of at least the given length in bytes. A value that could never match what a provider
// sends is a problem: most of all the line break that echo leaves behind, which nobody sees. One that is only odd is a warning.
func (s *settingsResolver) secretKey(field, name, key string, least int) string {
	data, found := s.secret(s.object.Namespace, name)
	value, hasKey := data[key]
	related := Object{Kind: "Secret", Namespace: s.object.Namespace, Name: name}
	if s.secretType != nil {
		if why := refusedType(s.secretType(s.object.Namespace, name)); why != "" {
			s.addRelated(related, field, v1alpha1.ReasonCredentialInvalid, "Secret %q %s and is not read; name another one", name, why)
			return ""
		}
	}
	switch {
	case !found:
		s.addRelated(related, field, v1alpha1.ReasonSecretNotFound, "Secret %q does not exist in namespace %q", name, s.object.Namespace)
		return ""
	case !hasKey:
		s.addRelated(related, field, v1alpha1.ReasonCredentialMissing, "Secret %q has no key %q; %s", name, key, other(key, data))
		return ""
	}
	if why := unusable(value, least); why != "" {
		s.addRelated(related, field, v1alpha1.ReasonCredentialInvalid, "Secret %q key %q %s", name, key, why)
	} else if why := suspicious(string(value)); why != "" {
		s.warn(related, field, "Secret %q key %q %s", name, key, why)
	}
	return string(value)
}

// other says what a Secret has instead of a key.
func other(key string, data map[string][]byte) string {
	if near := Nearest(key, slices.Sorted(maps.Keys(data)), maxEdits); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	if len(data) == 0 {
		return "it is empty"
	}
	return "it has others, which kubectl describe secret lists"
}

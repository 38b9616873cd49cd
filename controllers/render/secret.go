package render

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mailvane/mailvane/api/v1alpha1"
)

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

package providertest

import (
	"slices"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/mailvane/mailvane/internal/catalogue"
)

// ownURLs is the member of settings that says which URLs are signed, whatever an endpoint's own is.
const ownURLs = "publicURLs"

// url holds what the catalogue says of a provider against whether a request that was made for one host passes at another.
func (s Suite) url(t *testing.T, sample sample) {
	t.Helper()
	i := slices.IndexFunc(catalogue.Providers(), func(p catalogue.Provider) bool { return p.Type == s.Kind.Type })
	if i < 0 {
		t.Skip("the provider is not in the catalogue")
	}
	settings := without(t, s.Settings, ownURLs)
	r := clone(sample.request)
	r.Base = "https://hooks.example.com"
	if err := s.vendor(t).Sign(settings, s.SigningKey, r); err != nil {
		t.Fatalf("Sign: %v", err)
	}
	w := s.webhook(t, string(settings))
	if _, err := w.Verify(t.Context(), r); err != nil {
		t.Fatalf("at its own host: %v", err)
	}
	r.Base = "https://other.example.com"
	_, err := w.Verify(t.Context(), r)
	if reads, says := err != nil, catalogue.Providers()[i].ReadsURL && !s.URLUnsigned; reads != says {
		t.Errorf("the signature covers the URL: %t; ReadsURL of the catalogue says %t", reads, says)
	}
}

// without returns settings without a member.
func without(t *testing.T, settings, name string) []byte {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal([]byte(settings), &object); err != nil {
		t.Fatal(err)
	}
	delete(object, name)
	text, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

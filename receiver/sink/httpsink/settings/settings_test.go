package settings_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailvane/mailvane/receiver/settings"
	httpsettings "github.com/mailvane/mailvane/receiver/sink/httpsink/settings"
)

func TestSettingsAreChecked(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ reason, settings, want string }{
		"relative URL": {"there is no base", `{"url":"/events"}`, "url"},
		"other scheme": {"only HTTP is spoken", `{"url":"ftp://example.com"}`, "url"},
		"no URL":       {"it is required", `{}`, "url"},
		"two URLs":     {"which one is meant?", `{"url":"http://example.com","urlSecret":"http://example.com"}`, "exactly one of url and urlSecret"},
		"secret URL":   {"there is no base", `{"urlSecret":"services/T0"}`, "urlSecret must be"},
		"bad body":     {"types are spelled one way", `{"url":"http://example.com","body":{"type":"raw"}}`, "body.type"},
		"raw, batched": {"the modes are those of CloudEvents", `{"url":"http://example.com","contentMode":"Batched","body":{"type":"Raw"}}`, "contentMode must be Structured"},
		"template of raw": {
			"which one is meant?", `{"url":"http://example.com","body":{"type":"Raw","template":"{}"}}`, "body.template must not be set",
		},
		"no template":  {"there is no default", `{"url":"http://example.com","body":{"type":"Template"}}`, "body.template does not compile"},
		"bad template": {"the position is told", `{"url":"http://example.com","body":{"type":"Template","template":"{'a': event.recipent}"}}`, "1:12: undefined field"},
		"filter":       {"nothing reads true", `{"url":"http://example.com","body":{"type":"Template","template":"event.smtpCode > 5"}}`, "must yield an object"},
		"bad mode":     {"modes are spelled one way", `{"url":"http://example.com","contentMode":"Batch"}`, "contentMode"},
		"bad secret":   {"it must be base64", `{"url":"http://example.com","signingSecrets":["whsec_?"]}`, "signingSecrets[0]"},
		"empty secret": {"an empty key signs nothing", `{"url":"http://example.com","signingSecrets":["whsec_"]}`, "signingSecrets[0]"},
		"short secret": {"the specification asks for 24 bytes", `{"url":"http://example.com","signingSecrets":["whsec_YWJj"]}`, "24 to 64 bytes and is of 3"},
		"23 bytes": {
			"the specification asks for 24 bytes", `{"url":"http://example.com","signingSecrets":["` + strings.Repeat("A", 28) + `AAA="]}`, "24 to 64 bytes and is of 23",
		},
		"long secret": {
			"the specification asks for 64 bytes at most", `{"url":"http://example.com","signingSecrets":["` + strings.Repeat("A", 84) + `AAA="]}`, "24 to 64 bytes and is of 65",
		},
		"bad header":      {"names are tokens", `{"url":"http://example.com","headers":[{"name":"a b","value":"c"}]}`, "headers[0].name"},
		"reserved header": {"it is the content mode's", `{"url":"http://example.com","headers":[{"name":"content-type","value":"c"}]}`, "Content-Type"},
		"CloudEvents":     {"they are the event's", `{"url":"http://example.com","headers":[{"name":"ce-id","value":"c"}]}`, "Ce-Id"},
		"signature":       {"it is computed", `{"url":"http://example.com","headers":[{"name":"webhook-signature","value":"c"}]}`, "Webhook-Signature"},
		"header injection": {
			"a value is one line", `{"url":"http://example.com","headers":[{"name":"X-A","secret":"a\r\nX-B: c"}]}`, "headers[0]",
		},
		"empty header": {"an empty secret is a missing secret", `{"url":"http://example.com","headers":[{"name":"X-A"}]}`, "headers[0]"},
	}
	for name, test := range tests {
		if _, err := httpsettings.Parse([]byte(test.settings), settings.Environment{}); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want an error with %q: %s", name, err, test.want, test.reason)
		}
	}
}

func TestSecretsOfAllLengthsThatAreAllowed(t *testing.T) {
	t.Parallel()
	for n := 24; n <= 64; n++ {
		text := fmt.Sprintf(`{"url":"http://example.com","signingSecrets":[%q]}`, "whsec_"+base64.StdEncoding.EncodeToString(make([]byte, n)))
		if _, err := httpsettings.Parse([]byte(text), settings.Environment{}); err != nil {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

// TestConstantsOfATemplate has a type that no event has: who checks manifests refuses it, and a receiver, which may be older than the manager, takes it.
func TestConstantsOfATemplate(t *testing.T) {
	t.Parallel()
	text := []byte(`{"url":"http://example.com","body":{"type":"Template","template":"{'hard': event.type == 'email.teleported'}"}}`)
	if _, err := httpsettings.Parse(text, settings.Environment{}); err != nil {
		t.Errorf("a receiver: %v", err)
	}
	if _, err := httpsettings.Parse(text, settings.Environment{Now: time.Now()}); err == nil || !strings.Contains(err.Error(), "body.template event.type is never") {
		t.Errorf("a check: %v", err)
	}
}

// TestTheSettingsOfASecretURL has it kept out of errors.
func TestTheSettingsOfASecretURL(t *testing.T) {
	t.Parallel()
	p, err := httpsettings.Parse([]byte(`{"urlSecret":"https://hooks.example.com/services/T0/B0/x?key=k"}`), settings.Environment{})
	if err != nil || p.URL != "https://hooks.example.com/services/T0/B0/x?key=k" || !slices.Contains(p.Hidden, "/services/T0/B0/x") || !slices.Contains(p.Hidden, "key=k") {
		t.Errorf("%+v, %v", p, err)
	}
}

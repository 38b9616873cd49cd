package settings_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/mailvane/mailvane/receiver/settings"
	httpsettings "github.com/mailvane/mailvane/receiver/sink/httpsink/settings"
)

func TestSettingsAreChecked(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ reason, settings, want string }{
		"relative URL": {"there is no base", `{"url":"/events"}`, "url"},
		"other scheme": {"only HTTP is spoken", `{"url":"ftp://example.com"}`, "url"},
		"no URL":       {"it is required", `{}`, "url"},
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

package nylas_test

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider/nylas"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

const (
	secret      = "0123456789abcdef0123456789abcdef"
	otherSecret = "other-secret-0123456789abcdef000"
)

func suite() providertest.Suite {
	return providertest.Suite{
		Retyped:          map[string]string{"folders": "a message in some folder", "reauthentication_flag": "a login"},
		Kind:             nylas.Kind(),
		OtherSettings:    `{"webhookSecrets": ["` + otherSecret + `"]}`,
		RotationSettings: `{"webhookSecrets": ["` + secret + `", "` + otherSecret + `"]}`,
		SignatureHeaders: []string{"X-Nylas-Signature"},
		Credentials:      []string{secret, otherSecret},
		// Ids rest on that of the notification, its name, and what a list says whose elements are events of their own.
		Identifies: func(at jsontext.Pointer) bool {
			return at == "/id" || at == "/type" || strings.Contains(string(at), "recipients/") || strings.Contains(string(at), "/deltas/")
		},
		Unsampled: map[string]string{"mimeId": "an older name of mime_id"},
	}
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	providertest.Run(t, suite())
}

func FuzzWebhook(f *testing.F) { providertest.Fuzz(f, suite()) }

func BenchmarkWebhook(b *testing.B) {
	providertest.Benchmark(b, suite(), "message.created", "message.bounced")
}

package mailtrap_test

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider/mailtrap"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

const (
	secret      = "0123456789abcdef0123456789abcdef"
	otherSecret = "other-secret-0123456789abcdef000"
)

func suite() providertest.Suite {
	return providertest.Suite{
		Kind:             mailtrap.Kind(),
		OtherSettings:    `{"signingSecrets": ["` + otherSecret + `"]}`,
		RotationSettings: `{"signingSecrets": ["` + secret + `", "` + otherSecret + `"]}`,
		SignatureHeaders: []string{"Mailtrap-Signature"},
		Credentials:      []string{secret, otherSecret},
		// Ids rest on that of the event, and its name.
		Identifies: func(at jsontext.Pointer) bool { return at.LastToken() == "event_id" || at.LastToken() == "event" },
	}
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	providertest.Run(t, suite())
}

func FuzzWebhook(f *testing.F) { providertest.Fuzz(f, suite()) }

func BenchmarkWebhook(b *testing.B) { providertest.Benchmark(b, suite(), "delivery", "lines") }

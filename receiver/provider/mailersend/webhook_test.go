package mailersend_test

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider/mailersend"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

const (
	secret      = "example-signing-secret-0123456789"
	otherSecret = "another-signing-secret-0123456789"
)

func suite() providertest.Suite {
	return providertest.Suite{
		Retyped:          map[string]string{"raw": "a mail of which nobody sees that it is a report"},
		Kind:             mailersend.Kind(),
		OtherSettings:    `{"signingSecrets": ["` + otherSecret + `"]}`,
		RotationSettings: `{"signingSecrets": ["` + secret + `", "` + otherSecret + `"]}`,
		SignatureHeaders: []string{"Signature"},
		Credentials:      []string{secret, otherSecret},
		Identifies:       identifies,
		Volatile:         volatile(),
	}
}

// identifies says what ids rest on: that of the event and its name, what an open or a click is, and all of an event without an id.
func identifies(at jsontext.Pointer) bool {
	switch at {
	case "/type", "/data/id", "/data/morph/id", "/data/morph/created_at", "/data/morph/ip", "/data/morph/url":
		return true
	case "/created_at", "/message", "/data/object", "/data/reason", "/domain_id", "/webhook_id", "/data/email":
		return true // of what has no id
	default:
		return false
	}
}

// volatile returns what has no part in the ids of the events that have one of their own.
func volatile() map[string]string {
	places := map[string]string{}
	engagement := map[string]bool{"opened": true, "opened-unique": true, "clicked": true, "clicked-unique": true}
	for _, sample := range []string{
		"sent", "delivered", "deferred", "soft-bounced", "hard-bounced", "opened", "opened-unique", "clicked", "clicked-unique", "unsubscribed", "spam-complaint",
		"v2-delivered", "v2-clicked", "v2-hard-bounced", "v2-suppressed", "v2-survey-submitted", "inbound", "inbound-fields", "inbound-report",
	} {
		for _, at := range []string{"/created_at", "/data/object", "/domain_id", "/webhook_id", "/data/email"} {
			places[sample+".http"+at] = "the event has an id"
		}
		if engagement[sample] {
			places[sample+".http/data/id"] = "the event of the first time has another, and is the same fact"
		}
	}
	return places
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	providertest.Run(t, suite())
}

func FuzzWebhook(f *testing.F) { providertest.Fuzz(f, suite()) }

func BenchmarkWebhook(b *testing.B) { providertest.Benchmark(b, suite(), "delivered", "inbound") }

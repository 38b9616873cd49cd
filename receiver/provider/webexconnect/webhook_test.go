package webexconnect_test

import (
	"testing"

	"github.com/mailvane/mailvane/receiver/provider/providertest"
	"github.com/mailvane/mailvane/receiver/provider/webexconnect"
)

func suite() providertest.Suite {
	return providertest.Suite{
		Renamed:          map[string]string{"inboundMessageDataStreams": "event_identifier says what it is"},
		Retyped:          map[string]string{"code": "a failure"},
		Kind:             webexconnect.Kind(),
		OtherSettings:    `{"hubSecrets": ["other-hub-secret"]}`,
		RotationSettings: `{"hubSecrets": ["hubsecret", "other-hub-secret"]}`,
		SignatureHeaders: []string{"X-Hub-Signature"},
		Credentials:      []string{"hubsecret", "other-hub-secret"},
	}
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	providertest.Run(t, suite())
}

func FuzzWebhook(f *testing.F) { providertest.Fuzz(f, suite()) }

func BenchmarkWebhook(b *testing.B) { providertest.Benchmark(b, suite(), "bounceHard") }

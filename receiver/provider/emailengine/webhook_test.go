package emailengine_test

import (
	"testing"

	"github.com/mailvane/mailvane/receiver/provider/emailengine"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

func suite() providertest.Suite {
	return providertest.Suite{
		Kind:             emailengine.Kind(),
		Settings:         `{"serviceSecrets": ["0123456789abcdef0123456789abcdef"]}`,
		OtherSettings:    `{"serviceSecrets": ["other-service-secret"]}`,
		RotationSettings: `{"serviceSecrets": ["0123456789abcdef0123456789abcdef", "other-service-secret"]}`,
		SignatureHeaders: []string{"X-Ee-Wh-Signature"},
		Credentials:      []string{"0123456789abcdef0123456789abcdef", "other-service-secret"},
	}
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	providertest.Run(t, suite())
}

func FuzzWebhook(f *testing.F) { providertest.Fuzz(f, suite()) }

func BenchmarkWebhook(b *testing.B) { providertest.Benchmark(b, suite(), "messageBounce") }

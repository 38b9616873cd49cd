package unisendergo_test

import (
	"slices"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider/providertest"
	"github.com/mailvane/mailvane/receiver/provider/unisendergo"
)

const (
	key      = "example-api-key-0123456789"
	otherKey = "another-api-key-0123456789"
)

func suite() providertest.Suite {
	return providertest.Suite{
		Retyped:          map[string]string{"delivery_status": "what status says"},
		Kind:             unisendergo.Kind(),
		OtherSettings:    `{"apiKeys": ["` + otherKey + `"]}`,
		RotationSettings: `{"apiKeys": ["` + key + `", "` + otherKey + `"]}`,
		Credentials:      []string{key, otherKey},
		// Every byte is signed, and the signature is among them: any sample is a body that passes.
		SignedBytes: func(body []byte) []bool { return slices.Repeat([]bool{true}, len(body)) },
		// Ids rest on all that an event says, and whose it is.
		Identifies: func(at jsontext.Pointer) bool { return at != "/auth" && at.LastToken() != "project_name" },
	}
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	providertest.Run(t, suite())
}

func FuzzWebhook(f *testing.F) { providertest.Fuzz(f, suite()) }

func BenchmarkWebhook(b *testing.B) { providertest.Benchmark(b, suite(), "delivered", "batch") }

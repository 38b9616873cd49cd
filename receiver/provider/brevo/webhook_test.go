package brevo_test

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider/brevo"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

func suite() providertest.Suite {
	return providertest.Suite{
		Kind:          brevo.Kind(),
		OtherSettings: `{}`,
		Unsigned:      true,
		Identifies:    identifies,
	}
}

// identifies says that a mail is told apart by its Uuid, and an event by all but the key of an API.
func identifies(at jsontext.Pointer) bool {
	if strings.HasPrefix(string(at), "/items/") {
		return strings.HasSuffix(string(at), "/Uuid/0")
	}
	return at != "/key"
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	providertest.Run(t, suite())
}

func FuzzWebhook(f *testing.F) { providertest.Fuzz(f, suite()) }

func BenchmarkWebhook(b *testing.B) { providertest.Benchmark(b, suite(), "delivered", "batched") }

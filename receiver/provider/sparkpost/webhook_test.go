package sparkpost_test

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider/providertest"
	"github.com/mailvane/mailvane/receiver/provider/sparkpost"
)

func suite() providertest.Suite {
	return providertest.Suite{
		Retyped: map[string]string{"bounce_class": "a bounce"},
		Kind:    sparkpost.Kind(), OtherSettings: `{}`, Unsigned: true,
		// Ids rest on that of the event. A mail that came in has none.
		Identifies: func(at jsontext.Pointer) bool {
			return at.LastToken() == "event_id" || at.LastToken() == "type" || strings.Contains(string(at), "/relay_message/")
		},
	}
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	providertest.Run(t, suite())
}

func FuzzWebhook(f *testing.F) { providertest.Fuzz(f, suite()) }

func BenchmarkWebhook(b *testing.B) { providertest.Benchmark(b, suite(), "delivery") }

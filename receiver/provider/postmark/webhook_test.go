package postmark_test

import (
	"testing"

	"github.com/mailvane/mailvane/receiver/provider/postmark"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

func suite() providertest.Suite {
	return providertest.Suite{
		Retyped: map[string]string{
			"Origin":            "a change that was not the recipient's",
			"SuppressionReason": "a change that was not the recipient's",
		},
		Kind:          postmark.Kind(),
		OtherSettings: `{}`,
		Unsigned:      true,
		Unsampled:     map[string]string{"ServerId": "the name of ServerID in older bodies"},
	}
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	providertest.Run(t, suite())
}

func FuzzWebhook(f *testing.F) { providertest.Fuzz(f, suite()) }

func BenchmarkWebhook(b *testing.B) { providertest.Benchmark(b, suite(), "Delivery") }

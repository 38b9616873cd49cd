package mailjet_test

import (
	"testing"

	"github.com/mailvane/mailvane/receiver/provider/mailjet"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

func suite() providertest.Suite {
	return providertest.Suite{Kind: mailjet.Kind(), Retyped: map[string]string{"error": "a bounce, or a block, for any reason"}, OtherSettings: `{}`, Unsigned: true}
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	providertest.Run(t, suite())
}

func FuzzWebhook(f *testing.F) { providertest.Fuzz(f, suite()) }

func BenchmarkWebhook(b *testing.B) { providertest.Benchmark(b, suite(), "sent") }

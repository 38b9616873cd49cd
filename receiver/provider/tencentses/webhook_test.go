package tencentses_test

import (
	"testing"

	"github.com/mailvane/mailvane/receiver/provider/providertest"
	"github.com/mailvane/mailvane/receiver/provider/tencentses"
)

func suite() providertest.Suite {
	return providertest.Suite{
		Kind:          tencentses.Kind(),
		OtherSettings: `{}`,
		Unsigned:      true,
	}
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	providertest.Run(t, suite())
}

func FuzzWebhook(f *testing.F) { providertest.Fuzz(f, suite()) }

package alibabadirectmail_test

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider/alibabadirectmail"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

func suite() providertest.Suite {
	return providertest.Suite{
		Retyped:       map[string]string{"failed_type": "a failure"},
		Kind:          alibabadirectmail.Kind(),
		OtherSettings: `{}`,
		Unsigned:      true,
		// What identifies an event by CloudEvents, beside its type.
		Identifies: func(at jsontext.Pointer) bool { return at == "/id" || at == "/source" || at == "/type" },
	}
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	providertest.Run(t, suite())
}

func FuzzWebhook(f *testing.F) { providertest.Fuzz(f, suite()) }

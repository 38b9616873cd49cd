package smtp2go_test

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
	"github.com/mailvane/mailvane/receiver/provider/smtp2go"
)

func suite() providertest.Suite {
	return providertest.Suite{
		Kind:          smtp2go.Kind(),
		OtherSettings: `{}`,
		Unsigned:      true,
		KeepsUnknown:  true,
		Open:          open,
		Identifies:    func(at jsontext.Pointer) bool { return at != "/auth" },
	}
}

// open returns a body, which can be changed where it is no form.
func open(body []byte) (inner []byte, replace func([]byte) []byte) {
	if len(body) > 0 && body[0] != '{' {
		return nil, func([]byte) []byte { return body }
	}
	return body, func(inner []byte) []byte { return inner }
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	providertest.Run(t, suite())
}

func FuzzWebhook(f *testing.F) { providertest.Fuzz(f, suite()) }

func BenchmarkWebhook(b *testing.B) { providertest.Benchmark(b, suite(), "delivered", "form-bounce") }

// TestSignsNothing has an endpoint that rests on other factors, and says so.
func TestSignsNothing(t *testing.T) {
	t.Parallel()
	w := webhook(t)
	if a, ok := w.(provider.Authenticator); !ok || a.Authenticates() {
		t.Error("it says that it authenticates")
	}
	if proof, err := w.Verify(t.Context(), &provider.Request{}); err != nil || proof != (provider.Proof{}) {
		t.Errorf("%+v, %v", proof, err)
	}
	if _, err := smtp2go.Kind().New([]byte(`{"token": "a"}`), provider.Environment{}); err == nil || !strings.Contains(err.Error(), "token") {
		t.Errorf("a setting that there is not: %v", err)
	}
}

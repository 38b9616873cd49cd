package mandrill_test

import (
	"net/url"
	"testing"

	body "github.com/mailvane/mailvane/receiver/body/form"
	"github.com/mailvane/mailvane/receiver/provider/mandrill"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

const (
	field      = "mandrill_events"
	formType   = "application/x-www-form-urlencoded"
	publicURLs = `"publicURLs": ["https://hooks.example.com/hooks/mail/mandrill"]}`
)

func suite() providertest.Suite {
	return providertest.Suite{
		Kind:             mandrill.Kind(),
		OtherSettings:    `{"webhookKeys": ["other-webhook-key"], ` + publicURLs,
		RotationSettings: `{"webhookKeys": ["example-webhook-key", "other-webhook-key"], ` + publicURLs,
		SignatureHeaders: []string{"X-Mandrill-Signature"},
		Open:             open,
		Credentials:      []string{"example-webhook-key", "other-webhook-key"},
	}
}

// open returns the events of a form, and what makes a form of others. Any other body is what it is.
func open(sent []byte) (events []byte, replace func([]byte) []byte) {
	same := func(inner []byte) []byte { return inner }
	f, err := body.Parse(body.URLEncoded, sent) // package url takes no semicolon in a value
	if err != nil {
		return sent, same
	}
	events, err = f.Get(field)
	if err != nil {
		return sent, same
	}
	return events, func(inner []byte) []byte { return []byte(field + "=" + url.QueryEscape(string(inner))) }
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	providertest.Run(t, suite())
}

func FuzzWebhook(f *testing.F) { providertest.Fuzz(f, suite()) }

func BenchmarkWebhook(b *testing.B) { providertest.Benchmark(b, suite(), "click") }

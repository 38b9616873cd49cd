package mandrill_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

// read returns a file beside another, without a line break at its end.
func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimRight(string(text), "\r\n")
}

// signed returns a request with a form and its signature.
func signed(body, signature string) *provider.Request {
	r := post(body)
	r.Header = http.Header{"Content-Type": {formType}, "X-Mandrill-Signature": {signature}}
	return r
}

// TestRequestOfMandrill verifies a request that Mandrill made: the console's test.
func TestRequestOfMandrill(t *testing.T) {
	t.Parallel()
	for _, path := range providertest.Facts(t, "vectors/mandrill/*.body.form") {
		stem := strings.TrimSuffix(path, ".body.form")
		_, signature, _ := strings.Cut(read(t, stem+".headers.txt"), "X-Mandrill-Signature: ")
		r := signed(read(t, path), signature)
		w := webhook(t, `{"webhookKeys": ["other", "`+read(t, stem+".key.txt")+`"], "publicURLs": ["`+read(t, stem+".url.txt")+`"]}`)
		proof, err := w.Verify(t.Context(), r)
		if err != nil || proof.Key != "1" {
			t.Errorf("%s: %+v, %v", path, proof, err)
		}
		b := w.Decode(r)
		if len(b.Events) != 2 || len(b.Undecodable) > 0 || b.Events[0].ID == b.Events[1].ID || b.Events[0].Type != event.Test {
			t.Errorf("%s: %+v", path, b)
		}
	}
}

// TestBodiesOfTheFacts decodes a body of each documented event.
func TestBodiesOfTheFacts(t *testing.T) {
	t.Parallel()
	want := map[string][]event.Type{
		"send": {event.Sent}, "hard_bounce": {event.Bounced}, "soft_bounce": {event.Bounced}, "open": {event.Opened}, "click": {event.Clicked},
		"spam": {event.Complained}, "unsub": {event.Unsubscribed}, "reject": {event.Rejected}, "inbound": {event.Received},
		"batch": {event.Sent, event.Clicked}, "sync_whitelist": {event.Unknown, event.Unknown}, "setup-test-empty": {},
	}
	for _, path := range providertest.Facts(t, "samples/mandrill/*.body.form") {
		stem := strings.TrimSuffix(path, ".body.form")
		name, secret, signature := filepath.Base(stem), "example-webhook-key", stem+".signature.txt"
		if name == "setup-test-empty" {
			secret, signature = "test-webhook", stem+".signature-key-test-webhook.txt"
		}
		r := signed(read(t, path), read(t, signature))
		w := webhook(t, `{"webhookKeys": ["`+secret+`"], "publicURLs": ["https://hooks.example.com/hooks/mandrill"]}`)
		if _, err := w.Verify(t.Context(), r); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, isHandshake := w.(provider.Handshaker).Handshake(r); isHandshake != (name == "setup-test-empty") {
			t.Errorf("%s is a handshake: %v", name, isHandshake)
		}
		types, known := want[name]
		b := w.Decode(r)
		if !known || len(b.Events) != len(types) || len(b.Undecodable) > 0 {
			t.Fatalf("%s: %+v", name, b)
		}
		for i := range types {
			if b.Events[i].Type != types[i] || b.Events[i].TimeImplausible && b.Events[i].Time.Year() < 2026 {
				t.Errorf("%s: event %d is %s at %v, want %s", name, i, b.Events[i].Type, b.Events[i].Time, types[i])
			}
		}
	}
}

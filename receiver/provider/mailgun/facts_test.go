package mailgun_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// published are signatures that Mailgun made.
type published struct{ Key, Timestamp, Token, Signature string }

// TestSignaturesOfMailgun verifies what Mailgun signed, and nothing else.
func TestSignaturesOfMailgun(t *testing.T) {
	t.Parallel()
	for _, path := range providertest.Facts(t, "vectors/mailgun/signatures.json") {
		var all []published
		if err := json.Unmarshal(read(t, path), &all, json.MatchCaseInsensitiveNames(true)); err != nil || len(all) < 4 {
			t.Fatalf("%d signatures, %v", len(all), err)
		}
		for _, p := range all {
			w := webhook(t, `{"signingKeys": ["`+p.Key+`"]}`)
			body := []byte(`{"signature": {"timestamp": "` + p.Timestamp + `", "token": "` + p.Token + `", "signature": "` + p.Signature + `"}}`)
			if _, err := w.Verify(t.Context(), post("application/json", string(body))); err != nil {
				t.Errorf("%s: %v", p.Token, err)
			}
			asForm := "timestamp=" + p.Timestamp + "&token=" + p.Token + "&signature=" + p.Signature
			if _, err := w.Verify(t.Context(), post(formType, asForm)); err != nil {
				t.Errorf("%s as a form: %v", p.Token, err)
			}
			for _, text := range []string{p.Timestamp, p.Token, p.Signature} {
				for i := range text {
					at := strings.Index(string(body), text) + i
					body[at] ^= 1
					if _, err := w.Verify(t.Context(), post("application/json", string(body))); err == nil {
						t.Errorf("%s: with another byte %d it passes", p.Token, at)
					}
					body[at] ^= 1
				}
			}
		}
	}
}

// TestBodiesOfTheFacts decodes a body of each documented event and form, each signed with the key of the tests that hold it.
func TestBodiesOfTheFacts(t *testing.T) {
	t.Parallel()
	want := map[string]event.Type{
		"accepted": event.Accepted, "clicks": event.Clicked, "delivered_messages": event.Delivered, "opens": event.Opened, "permanent_failure": event.Bounced,
		"spam_complaints": event.Complained, "stored": event.Received, "subaccount-parent-signature": event.Bounced, "unsubscribes": event.Unsubscribed,
		"legacy-delivered": event.Delivered, "route-parsed": event.Received,
	}
	for _, path := range providertest.Facts(t, "samples/mailgun/*.body.*") {
		name, kind, _ := strings.Cut(filepath.Base(path), ".body.")
		r := post(map[string]string{"json": "application/json", "form": formType}[kind], strings.TrimRight(string(read(t, path)), "\r\n"))
		b := webhook(t, keys).Decode(r)
		if len(b.Events) != 1 || b.Events[0].Type != want[name] || b.Events[0].Recipient == "" || b.Events[0].MessageID == "" {
			t.Errorf("%s: %+v, want %s", name, b, want[name])
		}
	}
}

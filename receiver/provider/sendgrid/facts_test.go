package sendgrid_test

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
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

// TestRequestOfSendGrid verifies the request that the tests of SendGrid's own libraries hold.
func TestRequestOfSendGrid(t *testing.T) {
	t.Parallel()
	for _, path := range providertest.Facts(t, "vectors/sendgrid/*.body.json") {
		folder := filepath.Dir(path)
		line := func(name string) string { return strings.TrimSpace(string(read(t, filepath.Join(folder, name)))) }
		r := &provider.Request{Header: http.Header{}, Body: read(t, path), ReceivedAt: received()}
		for header := range strings.SplitSeq(line("event-dropped.headers.txt"), "\n") {
			name, value, _ := strings.Cut(header, ":")
			r.Header.Set(name, strings.TrimSpace(value))
		}
		settings := func(key string) string { return `{"publicKeys": ["` + key + `"]}` }
		w := webhook(t, settings(line("public-key.b64")))
		if _, err := w.Verify(t.Context(), r); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if b := w.Decode(r); len(b.Events) != 1 || b.Events[0].Type != event.Rejected || b.Events[0].ProviderMessageID != "LRzXl_NHStOGhQ4kofSm_A" {
			t.Errorf("%s: %+v", path, b)
		}
		if _, err := webhook(t, settings(line("wrong-public-key.b64"))).Verify(t.Context(), r); err == nil {
			t.Error("another key passes")
		}
		for i := range r.Body {
			r.Body[i] ^= 1
			if _, err := w.Verify(t.Context(), r); err == nil {
				t.Fatalf("with another byte %d it passes", i)
			}
			r.Body[i] ^= 1
		}
		r.Header.Set(signatureHeader, line("wrong-signature.b64"))
		if _, err := w.Verify(t.Context(), r); err == nil {
			t.Error("another signature passes")
		}
	}
}

// TestBodiesOfTheFacts decodes a body of each documented event.
func TestBodiesOfTheFacts(t *testing.T) {
	t.Parallel()
	want := map[string][]event.Type{
		"batch": {event.Accepted, event.Delivered}, "blocked": {event.Bounced}, "bounce": {event.Bounced}, "click": {event.Clicked}, "delivered": {event.Delivered},
		"dropped": {event.Rejected}, "dropped-invalid": {event.Rejected}, "dropped-unsubscribed": {event.Rejected}, "group_resubscribe": {event.Resubscribed},
		"group_unsubscribe": {event.Unsubscribed}, "open": {event.Opened}, "processed": {event.Accepted}, "spamreport": {event.Complained}, "unsubscribe": {event.Unsubscribed},
	}
	for _, path := range providertest.Facts(t, "samples/sendgrid/*.body.json") {
		name := strings.TrimSuffix(filepath.Base(path), ".body.json")
		b := decode(t, string(read(t, path)))
		if types, known := want[name]; !known || len(b.Events) != len(types) || len(b.Undecodable) > 0 {
			t.Fatalf("%s: %+v", name, b)
		}
		for i, e := range b.Events {
			if e.Type != want[name][i] || e.Recipient == "" || e.ProviderMessageID == "" || e.ProviderEventID == "" {
				t.Errorf("%s: %+v", name, e)
			}
		}
	}
	for _, path := range providertest.Facts(t, "samples/sendgrid/*.multipart") {
		r := &provider.Request{Header: http.Header{"Content-Type": {"multipart/form-data; boundary=xYzZY"}}, Body: bytes.TrimLeft(read(t, path), "\r\n"), ReceivedAt: received()}
		b := webhook(t, `{}`).Decode(r)
		if len(b.Events) != 1 || b.Events[0].Type != event.Received || b.Events[0].Recipient != "test@inbound.example.com" || len(b.Events[0].Mail.Attachments) != 1 || b.Events[0].MessageID != "CAEPk3R+4Zr@mail.example.org" {
			t.Errorf("%s: %+v", path, b)
		}
	}
}

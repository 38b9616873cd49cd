package nylas_test

import (
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/mailvane/mailvane/internal/simulate/nylas"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

func TestVerify(t *testing.T) {
	t.Parallel()
	const name = "X-Nylas-Signature"
	for what, c := range map[string]struct {
		change func(h http.Header, value string)
		want   provider.Reason
	}{
		"as it comes":         {func(http.Header, string) {}, ""},
		"the other case":      {func(h http.Header, v string) { h.Del(name); h.Set("x-nylas-signature", v) }, ""},
		"capitals":            {func(h http.Header, v string) { h.Set(name, strings.ToUpper(v)) }, ""},
		"white space":         {func(h http.Header, v string) { h.Set(name, " "+v+" ") }, ""},
		"none":                {func(h http.Header, _ string) { h.Del(name) }, provider.ReasonMissing},
		"two":                 {func(h http.Header, v string) { h.Add(name, v) }, provider.ReasonMalformed},
		"a prefix":            {func(h http.Header, v string) { h.Set(name, "sha256="+v) }, provider.ReasonMalformed},
		"half of it":          {func(h http.Header, v string) { h.Set(name, v[:32]) }, provider.ReasonMalformed},
		"of something else":   {func(h http.Header, _ string) { h.Set(name, strings.Repeat("0", 64)) }, provider.ReasonMismatch},
		"under version 2's":   {func(h http.Header, v string) { h.Del(name); h.Set("X-Signature", v) }, provider.ReasonMissing},
		"base64 in its place": {func(h http.Header, _ string) { h.Set(name, "aGVsbG8gd29ybGQgaGVsbG8gd29ybGQgaGVsbG8gd28=") }, provider.ReasonMalformed},
	} {
		settings := []byte(`{"webhookSecrets": ["` + otherSecret + `", "` + secret + `"]}`)
		r := &provider.Request{Body: []byte(`{}`), Header: http.Header{}, ReceivedAt: received()}
		if err := nylas.Sign([]byte(`{"webhookSecrets": ["`+secret+`"]}`), nil, r); err != nil {
			t.Fatal(err)
		}
		c.change(r.Header, r.Header.Get(name))
		proof, err := webhook(t, string(settings)).Verify(t.Context(), r)
		refused, _ := errors.AsType[*provider.VerifyError](err)
		if (err != nil) != (c.want != "") || refused != nil && refused.Reason != c.want || err == nil && proof.Key != "1" {
			t.Errorf("%s: %+v, %v, want %q", what, proof, err, c.want)
		}
	}
}

// TestVector verifies a request that another implementation has signed.
func TestVector(t *testing.T) {
	t.Parallel()
	for _, path := range providertest.Facts(t, "vectors/nylas/*.body.json") {
		stem := strings.TrimSuffix(path, ".body.json")
		_, value, _ := strings.Cut(read(t, stem+".headers.txt"), "X-Nylas-Signature: ")
		r := &provider.Request{Body: []byte(read(t, path)), Header: http.Header{"X-Nylas-Signature": {value}}, ReceivedAt: received()}
		w := webhook(t, `{"webhookSecrets": ["`+read(t, stem+".secret.txt")+`"]}`)
		if _, err := w.Verify(t.Context(), r); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if b := w.Decode(r); len(b.Events) != 1 || b.Events[0].Type != event.Received || b.Events[0].Recipient == "" {
			t.Errorf("%s: %+v", path, b)
		}
		for i := range r.Body {
			r.Body[i] ^= 1
			if _, err := w.Verify(t.Context(), r); err == nil {
				t.Errorf("%s: with another byte %d it passes", path, i)
			}
			r.Body[i] ^= 1
		}
	}
}

// TestBodiesOfTheFacts decodes a body of each documented event.
func TestBodiesOfTheFacts(t *testing.T) {
	t.Parallel()
	want := map[string]event.Type{
		"message.created": event.Received, "message.updated": event.MailboxMessageUpdated, "message.send_success": event.Sent, "message.send_failed": event.Failed,
		"message.opened": event.Opened, "message.link_clicked": event.Clicked, "thread.replied": event.Unknown,
	}
	for _, path := range providertest.Facts(t, "samples/mailbox/nylas-*.body.json") {
		e := decodeOne(t, read(t, path))
		if e.Type != want[e.ProviderEvent] || e.Account != "grant-0001" || e.TimeRaw != "1772000000" {
			t.Errorf("%s: %+v", path, e)
		}
	}
}

// read returns a file without a line break at its end.
func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimRight(string(text), "\r\n")
}

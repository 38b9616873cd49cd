package mailtrap_test

import (
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/mailvane/mailvane/internal/simulate/mailtrap"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

// signed returns a request with a signature of the samples' secret.
func signed(t *testing.T, body string) *provider.Request {
	t.Helper()
	r := &provider.Request{Body: []byte(body), Header: http.Header{}, ReceivedAt: received()}
	if err := mailtrap.Sign([]byte(`{"signingSecrets": ["`+secret+`"]}`), nil, r); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestVerify(t *testing.T) {
	t.Parallel()
	const main, inbound = "Mailtrap-Signature", "X-Mailtrap-Signature"
	for name, c := range map[string]struct {
		change func(h http.Header, value string)
		want   provider.Reason
	}{
		"as it comes":              {func(http.Header, string) {}, ""},
		"the name for inbound":     {func(h http.Header, v string) { h.Del(main); h.Set(inbound, v) }, ""},
		"both":                     {func(h http.Header, v string) { h.Set(inbound, v) }, ""},
		"the other one is wrong":   {func(h http.Header, _ string) { h.Set(inbound, "0") }, ""},
		"the first one counts":     {func(h http.Header, v string) { h.Set(main, strings.Repeat("0", 64)); h.Set(inbound, v) }, provider.ReasonMismatch},
		"an empty one counts, too": {func(h http.Header, v string) { h.Set(main, ""); h.Set(inbound, v) }, provider.ReasonMissing},
		"none":                     {func(h http.Header, _ string) { h.Del(main) }, provider.ReasonMissing},
		"63 characters":            {func(h http.Header, v string) { h.Set(main, v[:63]) }, provider.ReasonMalformed},
		"65 characters":            {func(h http.Header, v string) { h.Set(main, v+"0") }, provider.ReasonMalformed},
		"a prefix":                 {func(h http.Header, v string) { h.Set(main, "sha256="+v) }, provider.ReasonMalformed},
		"no hexadecimal":           {func(h http.Header, v string) { h.Set(main, "x"+v[1:]) }, provider.ReasonMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := signed(t, `{"events": []}`)
			c.change(r.Header, r.Header.Get(main))
			_, err := webhook(t, `{"signingSecrets": ["`+secret+`"]}`).Verify(t.Context(), r)
			refused, _ := errors.AsType[*provider.VerifyError](err)
			if (err != nil) != (c.want != "") || refused != nil && refused.Reason != c.want {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// TestProof has which of two secrets it was.
func TestProof(t *testing.T) {
	t.Parallel()
	proof, err := webhook(t, `{"signingSecrets": ["`+otherSecret+`", "`+secret+`"]}`).Verify(t.Context(), signed(t, `{}`))
	if err != nil || proof.Key != "1" || proof.Bearer != "" {
		t.Errorf("%+v, %v", proof, err)
	}
}

// TestNoSecret has a webhook from before there were signatures, which another factor protects.
func TestNoSecret(t *testing.T) {
	t.Parallel()
	for settings, want := range map[string]bool{`{}`: false, `{"signingSecrets": []}`: false, `{"signingSecrets": ["` + secret + `"]}`: true} {
		w := webhook(t, settings)
		a, ok := w.(provider.Authenticator)
		_, err := w.Verify(t.Context(), &provider.Request{Body: []byte(`{}`), Header: http.Header{}})
		if !ok || a.Authenticates() != want || (err == nil) == want {
			t.Errorf("%s: authenticates %v, %v", settings, a.Authenticates(), err)
		}
	}
}

// TestVector verifies the request that the official SDKs share.
func TestVector(t *testing.T) {
	t.Parallel()
	for _, path := range providertest.Facts(t, "vectors/mailtrap/*.body.json") {
		stem := strings.TrimSuffix(path, ".body.json")
		_, value, _ := strings.Cut(read(t, stem+".headers.txt"), "Mailtrap-Signature: ")
		r := &provider.Request{Body: []byte(read(t, path)), Header: http.Header{"Mailtrap-Signature": {value}}, ReceivedAt: received()}
		w := webhook(t, `{"signingSecrets": ["`+read(t, stem+".secret.txt")+`"]}`)
		if _, err := w.Verify(t.Context(), r); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if b := w.Decode(r); len(b.Events) != 1 || b.Events[0].Type != event.Delivered || b.Events[0].Recipient == "" {
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

// read returns a file without a line break at its end.
func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimRight(string(text), "\r\n")
}

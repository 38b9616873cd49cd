package mailersend_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"

	simulated "github.com/mailvane/mailvane/internal/simulate/mailersend"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/mailersend"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
	"github.com/mailvane/mailvane/receiver/signature"
)

// published is the secret of pings, which MailerSend's page shows.
const published = "test_Am3L1GuOIc4blLUuHqAPxxwkZaJyEk8G"

// pingBody is the ping of that page, and pingSignature what Python's hmac module makes of it with that secret.
const (
	pingBody      = `{"type":"webhook.test","message":"This is a ping test message"}`
	pingSignature = "6ad951d2a998c3466ee0cee1e993145eb9e376ef5356c6a80c5d0f53c22d96ed"
)

func post(body, value string) *provider.Request {
	return &provider.Request{Method: http.MethodPost, Body: []byte(body), Header: http.Header{"Signature": {value}}, ReceivedAt: received()}
}

// signed returns a request with a signature of a secret.
func signed(key, body string) *provider.Request {
	return post(body, hex.EncodeToString(signature.HMAC(sha256.New, []byte(key), []byte(body))))
}

func TestVerify(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(h http.Header, value string)
		want   provider.Reason
	}{
		"as it comes":      {func(http.Header, string) {}, ""},
		"in capitals":      {func(h http.Header, v string) { h.Set("Signature", strings.ToUpper(v)) }, ""},
		"none":             {func(h http.Header, _ string) { h.Del("Signature") }, provider.ReasonMissing},
		"another header's": {func(h http.Header, v string) { h.Del("Signature"); h.Set("X-Signature", v) }, provider.ReasonMissing},
		"twice":            {func(h http.Header, v string) { h.Add("Signature", v) }, provider.ReasonMalformed},
		"63 characters":    {func(h http.Header, v string) { h.Set("Signature", v[:63]) }, provider.ReasonMalformed},
		"a prefix":         {func(h http.Header, v string) { h.Set("Signature", "sha256="+v) }, provider.ReasonMalformed},
		"no hexadecimal":   {func(h http.Header, v string) { h.Set("Signature", "x"+v[1:]) }, provider.ReasonMalformed},
		"of nothing":       {func(h http.Header, _ string) { h.Set("Signature", strings.Repeat("0", 64)) }, provider.ReasonMismatch},
		"of the public secret": {func(h http.Header, _ string) {
			h.Set("Signature", signed(published, `{"type":"x"}`).Header.Get("Signature"))
		}, provider.ReasonMismatch},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := signed(secret, `{"type":"x"}`)
			c.change(r.Header, r.Header.Get("Signature"))
			_, err := webhook(t).Verify(t.Context(), r)
			refused, _ := errors.AsType[*provider.VerifyError](err)
			if (err != nil) != (c.want != "") || refused != nil && refused.Reason != c.want {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// TestHandshake has the ping that is sent before there is a secret, and what a stranger, who has that key as well, might send in its place.
func TestHandshake(t *testing.T) {
	t.Parallel()
	by := func(method string, r *provider.Request) *provider.Request { r.Method = method; return r }
	for name, c := range map[string]struct {
		reason string
		r      *provider.Request
		want   bool
	}{
		"a ping":                          {"the set-up", post(pingBody, pingSignature), true},
		"a ping with its time":            {"of late there is one", signed(published, `{"type":"webhook.test","message":"m","created_at":"2026-01-01T10:00:00.577080Z"}`), true},
		"a ping of the endpoint's secret": {"that is verified, and an event", signed(secret, pingBody), false},
		"a ping of a stranger's":          {"nobody knows that key", signed(otherSecret, pingBody), false},
		"a ping without a signature":      {"who does not know the page is not MailerSend", post(pingBody, ""), false},
		"a ping with another byte":        {"it is signed", post(strings.Replace(pingBody, "ping", "pong", 1), pingSignature), false},
		"an event":                        {"everybody has that key", signed(published, `{"type":"activity.delivered","data":{"id":"1"}}`), false},
		"a mail":                          {"everybody has that key", signed(published, `{"type":"inbound.message","data":{"id":"1"}}`), false},
		"a ping with data":                {"it could be read as an event one day", signed(published, `{"type":"webhook.test","data":{}}`), false},
		"a ping that is an event as well": {"one of the two could be read", signed(published, `{"type":"webhook.test","type":"activity.delivered"}`), false},
		"a ping in capitals":              {"exactly what is sent, and nothing like it", signed(published, `{"type":"WEBHOOK.TEST"}`), false},
		"a list with a ping":              {"there is one object", signed(published, `[{"type":"webhook.test"}]`), false},
		"a long ping":                     {"what is not short is not read twice", signed(published, `{"type":"webhook.test","message":"`+strings.Repeat("x", 1024)+`"}`), false},
		"JSON that is cut off":            {"", signed(published, pingBody[:30]), false},
		"no body":                         {"", signed(published, ""), false},
		"another method":                  {"MailerSend posts", by(http.MethodPut, post(pingBody, pingSignature)), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := webhook(t)
			asks, ok := w.(provider.Handshaker)
			if !ok || len(asks.Methods()) > 0 {
				t.Fatal("it asks with POST alone")
			}
			reply, got := asks.Handshake(c.r)
			if got != c.want || reply.Status != 0 || len(reply.Body) > 0 {
				t.Errorf("%s: got %v with %+v, want %v", c.reason, got, reply, c.want)
			}
			if _, err := w.Verify(t.Context(), c.r); got && err == nil {
				t.Error("the public secret verifies")
			}
		})
	}
}

// TestProof has which of two secrets it was.
func TestProof(t *testing.T) {
	t.Parallel()
	w, err := mailersend.Kind().New([]byte(`{"signingSecrets": ["`+otherSecret+`", "`+secret+`"]}`), provider.Environment{})
	if err != nil {
		t.Fatal(err)
	}
	proof, err := w.Verify(t.Context(), signed(secret, `{}`))
	if err != nil || proof != (provider.Proof{Key: "1"}) {
		t.Errorf("%+v, %v", proof, err)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ settings, want string }{
		"no secret":       {`{}`, "signingSecrets: must hold at least one"},
		"an empty secret": {`{"signingSecrets": [" "]}`, "signingSecrets: a secret is empty"},
		"another field":   {`{"signingSecrets": ["a"], "secret": "b"}`, "secret"},
	} {
		if _, err := mailersend.Kind().New([]byte(c.settings), provider.Environment{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if err := simulated.Sign([]byte(c.settings), nil, new(provider.Request)); err == nil {
			t.Errorf("%s: it is signed for", name)
		}
	}
}

// TestVector verifies a request that another library was tested with.
func TestVector(t *testing.T) {
	t.Parallel()
	for _, path := range providertest.Facts(t, "vectors/mailersend/*.body.json") {
		stem := strings.TrimSuffix(path, ".body.json")
		_, value, _ := strings.Cut(read(t, stem+".headers.txt"), "Signature: ")
		r := post(read(t, path), value)
		w, err := mailersend.Kind().New([]byte(`{"signingSecrets": ["`+read(t, stem+".secret.txt")+`"]}`), provider.Environment{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Verify(t.Context(), r); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if b := w.Decode(r); len(b.Events) != 1 || b.Events[0].Type != event.Sent || b.Events[0].Recipient == "" {
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

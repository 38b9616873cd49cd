package unisendergo_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	simulated "github.com/mailvane/mailvane/internal/simulate/unisendergo"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
	"github.com/mailvane/mailvane/receiver/provider/unisendergo"
)

// body and digest are a body, and what Python's hashlib makes of it with the key.
const (
	body   = `{"auth":"` + digest + `","events_by_user":[]}`
	digest = "416ebd6145cbfd25b660b033e332149b"
)

func with(t testing.TB, settings string) provider.Webhook {
	t.Helper()
	w, err := unisendergo.Kind().New([]byte(settings), provider.Environment{})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func webhook(t testing.TB) provider.Webhook {
	t.Helper()
	return with(t, `{"apiKeys": ["`+key+`"]}`)
}

// signed returns a body whose auth is that of a key.
func signed(t testing.TB, key, body string) string {
	t.Helper()
	r := &provider.Request{Body: []byte(body)}
	if err := simulated.Sign([]byte(`{"apiKeys": ["`+key+`"]}`), nil, r); err != nil {
		t.Fatal(err)
	}
	return string(r.Body)
}

func TestVerify(t *testing.T) {
	t.Parallel()
	const mismatch, malformed, missing = provider.ReasonMismatch, provider.ReasonMalformed, provider.ReasonMissing
	sign := func(body string) string { return signed(t, key, body) }
	for name, c := range map[string]struct {
		reason, body string
		want         provider.Reason
	}{
		"as it comes":                    {"", body, ""},
		"with white space":               {"it is signed as it is sent", sign("{ \"auth\" :\n\"\", \"events_by_user\": [] }\n"), ""},
		"auth behind others":             {"it is the member that counts, and not its place", sign(`{"events_by_user":[{"auth":"x"}],"auth":""}`), ""},
		"auth alone":                     {"", sign(`{"auth":""}`), ""},
		"a hash elsewhere as well":       {"it is a text like any other", sign(`{"auth":"","a":"` + digest + `"}`), ""},
		"the hash of another, elsewhere": {"no text of the body is replaced but auth", strings.Replace(body, `[]}`, `[],"a":"`+digest+`"}`, 1), mismatch},
		"a name with an escape":          {"it is the same name", sign(`{"\u0061uth":""}`), ""},
		"a byte more":                    {"a proxy has added a line break", body + "\n", mismatch},
		"a byte less":                    {"", body[:len(body)-1], mismatch},
		"another white space":            {"a proxy has written the JSON anew", strings.Replace(body, ",", ", ", 1), mismatch},
		"a byte order mark":              {"", "\ufeff" + body, malformed},
		"a member more":                  {"", strings.Replace(body, `"events`, `"a":1,"events`, 1), mismatch},
		"another key":                    {"", signed(t, otherKey, body), mismatch},
		"no auth":                        {"", `{"events_by_user":[]}`, missing},
		"auth within another":            {"it is one of the outermost object", `{"events_by_user":[` + body + `]}`, missing},
		"auth in capitals":               {"it is another name", strings.Replace(body, "auth", "AUTH", 1), missing},
		"the hash in capitals":           {"one signature has one form", strings.Replace(body, digest, strings.ToUpper(digest), 1), malformed},
		"no hexadecimal":                 {"", strings.Replace(body, digest[:1], "x", 1), malformed},
		"31 characters":                  {"", strings.Replace(body, digest, digest[1:], 1), malformed},
		"33 characters":                  {"", strings.Replace(body, digest, digest+"0", 1), malformed},
		"with an escape":                 {"32 characters are one of them each", strings.Replace(body, digest, `\u0030`+digest[6:], 1), malformed},
		"an empty auth":                  {"", `{"auth":""}`, malformed},
		"an auth that is null":           {"", `{"auth":null}`, malformed},
		"an auth that is a number":       {"", `{"auth":12345678901234567890123456789012}`, malformed},
		"an auth that is a list":         {"", `{"auth":["` + digest + `"]}`, malformed},
		"the key in the place of auth":   {"nobody sends that", strings.Replace(body, digest, key, 1), malformed},
		"a list":                         {"", `[` + body + `]`, malformed},
		"a word":                         {"", `hello`, malformed},
		"nothing":                        {"", ``, malformed},
		"an object that breaks off":      {"", `{"events_by_user":[`, malformed},
		"a compressed body":              {"that is another format of the webhook", "\x1f\x8b\x08\x00", malformed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := webhook(t).Verify(t.Context(), &provider.Request{Body: []byte(c.body)})
			var got provider.Reason
			if refused, ok := errors.AsType[*provider.VerifyError](err); ok {
				got = refused.Reason
			}
			if got != c.want || (err == nil) != (c.want == "") {
				t.Errorf("%v, want %q: %s", err, c.want, c.reason)
			}
		})
	}
}

// TestTwoSignatures has a body with auth twice: the first one counts, and only who has the key can make it.
func TestTwoSignatures(t *testing.T) {
	t.Parallel()
	two := strings.Replace(body, `"events`, `"auth":"`+digest+`","events`, 1)
	if _, err := webhook(t).Verify(t.Context(), &provider.Request{Body: []byte(two)}); err == nil {
		t.Error("a body with a second signature passes")
	}
}

// TestProof has which of two keys it was.
func TestProof(t *testing.T) {
	t.Parallel()
	proof, err := with(t, `{"apiKeys": ["`+otherKey+`", "`+key+`"]}`).Verify(t.Context(), &provider.Request{Body: []byte(body)})
	if err != nil || proof != (provider.Proof{Key: "1"}) {
		t.Errorf("%+v, %v", proof, err)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ settings, want string }{
		"no key":        {`{}`, "apiKeys: must hold at least one"},
		"an empty key":  {`{"apiKeys": [" "]}`, "apiKeys: a secret is empty"},
		"another field": {`{"apiKeys": ["a"], "url": "b"}`, "url"},
	} {
		if _, err := unisendergo.Kind().New([]byte(c.settings), provider.Environment{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if err := simulated.Sign([]byte(c.settings), nil, new(provider.Request)); err == nil {
			t.Errorf("%s: it is signed for", name)
		}
	}
}

// TestBodiesOfTheFacts verifies and decodes a body of each documented status.
func TestBodiesOfTheFacts(t *testing.T) {
	t.Parallel()
	want := map[string]event.Type{
		"clicked": event.Clicked, "delivered": event.Delivered, "hard_bounced": event.Bounced, "opened": event.Opened, "sent": event.Sent,
		"soft_bounced": event.Bounced, "subscribed": event.Resubscribed, "unsubscribed": event.Unsubscribed,
	}
	for _, path := range providertest.Facts(t, "samples/unisender/*.body.json") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		text = []byte(strings.TrimRight(string(text), "\r\n"))
		name := strings.TrimSuffix(filepath.Base(path), ".body.json")
		w := with(t, `{"apiKeys": ["example-api-key"]}`)
		if _, err := w.Verify(t.Context(), &provider.Request{Body: text}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for i := range text {
			text[i] ^= 1
			if _, err := w.Verify(t.Context(), &provider.Request{Body: text}); err == nil {
				t.Errorf("%s: with another byte %d it passes", name, i)
			}
			text[i] ^= 1
		}
		e := decodeOne(t, string(text))
		if e.Type != want[name] || e.ProviderEvent != name || e.Recipient == "" || e.ProviderMessageID == "" || e.Account != "6432890213745872" || len(e.Metadata) != 1 {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

package sendgrid_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"strings"
	"testing"

	simulated "github.com/mailvane/mailvane/internal/simulate/sendgrid"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/sendgrid"
)

const (
	keys            = `{"publicKeys": ["` + publicKey + `"]}`
	signatureHeader = "X-Twilio-Email-Event-Webhook-Signature"
	timestampHeader = "X-Twilio-Email-Event-Webhook-Timestamp"
)

func webhook(t testing.TB, settings string) provider.Webhook {
	t.Helper()
	w, err := sendgrid.Kind().New([]byte(settings), provider.Environment{})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// signed returns a request that SendGrid signed a second before it arrives.
func signed(t *testing.T, body string) *provider.Request {
	t.Helper()
	r := &provider.Request{Body: []byte(body), ReceivedAt: received()}
	if err := simulated.Sign([]byte(keys), []byte(signingKey), r); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestVerify(t *testing.T) {
	t.Parallel()
	const events = "[{\"event\":\"open\"},{\"event\":\"click\"}]\r\n"
	const mismatch, malformed = provider.ReasonMismatch, provider.ReasonMalformed
	for name, c := range map[string]struct {
		reason, settings, body string
		change                 func(*provider.Request)
		want                   provider.Reason
	}{
		"with the line break":               {reason: "it is signed, too"},
		"without the line break":            {reason: "a proxy that trims changes what was signed", change: func(r *provider.Request) { r.Body = r.Body[:len(r.Body)-2] }, want: mismatch},
		"a byte of the time in the body":    {reason: "nothing separates them", change: func(r *provider.Request) { shift(r, -1) }, want: malformed},
		"a byte of the body in the time":    {reason: "nothing separates them", change: func(r *provider.Request) { shift(r, 1) }, want: malformed},
		"the first part of a mail in there": {reason: "the rest would be another mail", body: "--b\r\n", change: func(r *provider.Request) { shift(r, 3) }, want: malformed},
		"a body that begins with a digit":   {reason: "it may have been the time's", body: "1" + events, want: malformed},
		"all of it in the time":             {reason: "nothing is left", change: func(r *provider.Request) { shift(r, len(r.Body)) }, want: malformed},
		"a time that is none":               {reason: "it can be no signed one", change: func(r *provider.Request) { r.Header.Set(timestampHeader, "soon") }, want: malformed},
		"no signature, but some text":       {reason: "no DER", change: func(r *provider.Request) { r.Header.Set(signatureHeader, "c29tZSB0ZXh0") }, want: mismatch},
		"no base64":                         {reason: "", change: func(r *provider.Request) { r.Header.Set(signatureHeader, "!") }, want: malformed},
		"a signature of a kilobyte":         {reason: "it is not looked at", change: func(r *provider.Request) { r.Header.Set(signatureHeader, strings.Repeat("A", 1024)) }, want: malformed},
		"another path and method":           {reason: "neither is signed", change: func(r *provider.Request) { r.Method, r.Path = "PUT", "/elsewhere" }},
		"a key in PEM":                      {reason: "some tools write it so", settings: `{"publicKeys": ["-----BEGIN PUBLIC KEY-----\n` + publicKey + `\n-----END PUBLIC KEY-----"]}`},
		"of years ago, without a tolerance": {reason: "a retry may keep its time", change: func(r *provider.Request) { r.ReceivedAt = r.ReceivedAt.AddDate(5, 0, 0) }},
	} {
		if c.settings == "" {
			c.settings = keys
		}
		if c.body == "" {
			c.body = events
		}
		r := signed(t, c.body)
		if c.change != nil {
			c.change(r)
		}
		_, err := webhook(t, c.settings).Verify(t.Context(), r)
		var got provider.Reason
		if refused, ok := errors.AsType[*provider.VerifyError](err); ok {
			got = refused.Reason
		}
		if got != c.want || (err == nil) != (c.want == "") {
			t.Errorf("%s: %v, want %q: %s", name, err, c.want, c.reason)
		}
	}
}

// shift moves n bytes from the body to the end of the signed time, or back. What was signed stays what it was.
func shift(r *provider.Request, n int) {
	all := r.Header.Get(timestampHeader) + string(r.Body)
	end := len(r.Header.Get(timestampHeader)) + n
	r.Header.Set(timestampHeader, all[:end])
	r.Body = []byte(all[end:])
}

// TestProof tells which of two keys it was, and that without a key there is none.
func TestProof(t *testing.T) {
	t.Parallel()
	r := signed(t, "[]")
	proof, err := webhook(t, `{"publicKeys": ["`+otherPublicKey+`", "`+publicKey+`"]}`).Verify(t.Context(), r)
	if err != nil || proof != (provider.Proof{Key: "1"}) {
		t.Errorf("%+v, %v", proof, err)
	}
	w := webhook(t, `{}`)
	if proof, err = w.Verify(t.Context(), &provider.Request{Body: []byte("[]")}); err != nil || proof != (provider.Proof{}) {
		t.Errorf("without keys: %+v, %v", proof, err)
	}
	if a, ok := w.(provider.Authenticator); !ok || a.Authenticates() {
		t.Error("without keys, it says that it authenticates")
	}
	if a, ok := webhook(t, keys).(provider.Authenticator); !ok || !a.Authenticates() {
		t.Error("with keys, it says that it authenticates nothing")
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(p384.Public())
	if err != nil {
		t.Fatal(err)
	}
	list := func(keys string) string { return `{"publicKeys": [` + keys + `]}` }
	for name, c := range map[string]struct{ reason, settings, want string }{
		"a private key":        {"it was pasted by mistake", list(`"` + base64.StdEncoding.EncodeToString(privateDER(t)) + `"`), "publicKeys[0]: must be a public key in base64 or PEM"},
		"no base64":            {"", list(`"` + publicKey + `", "key"`), "publicKeys[1]: must be a public key in base64 or PEM"},
		"a key of Ed25519":     {"SendGrid has none", list(`"MCowBQYDK2VwAyEAA6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="`), "publicKeys[0]: must be a key of ECDSA with P-256"},
		"another curve":        {"SendGrid has none", list(`"` + base64.StdEncoding.EncodeToString(der) + `"`), "publicKeys[0]: must be a key of ECDSA with P-256"},
		"nine keys":            {"each is tried", list(`"` + strings.Repeat(publicKey+`", "`, 8) + publicKey + `"`), "publicKeys: must hold at most 8"},
		"a tolerance below 0":  {"", `{"toleranceSeconds": -1}`, "toleranceSeconds: must not be negative"},
		"a secret beside them": {"SendGrid shows a public key alone", `{"signingSecrets": ["a"]}`, "signingSecrets"},
	} {
		if _, err := sendgrid.Kind().New([]byte(c.settings), provider.Environment{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q: %s", name, err, c.want, c.reason)
		}
	}
}

func privateDER(t *testing.T) []byte {
	t.Helper()
	block, _ := pem.Decode([]byte(signingKey))
	return block.Bytes
}

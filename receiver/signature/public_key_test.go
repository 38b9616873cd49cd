package signature_test

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/mailvane/mailvane/receiver/signature"
)

func spki(t testing.TB, first byte) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(public(key(first)))
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestParsePublicKey(t *testing.T) {
	t.Parallel()
	der := spki(t, 0)
	cases := map[string]struct {
		reason string
		text   string
		ok     bool
	}{
		"SPKI":          {reason: "what the key server answers", text: base64.StdEncoding.EncodeToString(der), ok: true},
		"the published": {reason: "a fixed value", text: "MCowBQYDK2VwAyEAA6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=", ok: true},
		"PEM":           {reason: "what people paste", text: "\n" + string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), ok: true},
		"raw":           {reason: "32 bytes", text: base64.StdEncoding.EncodeToString(public(key(0))), ok: true},
		"empty":         {reason: "no key"},
		"not base64":    {reason: "garbage", text: "secret-ish text"},
		"too short":     {reason: "no key", text: "AAAA"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := signature.ParsePublicKey(c.text)
			if c.ok != (err == nil) || (c.ok && !got.Equal(public(key(0)))) {
				t.Errorf("%s: got %x, %v", c.reason, got, err)
			}
			if err != nil && c.text != "" && strings.Contains(err.Error(), c.text) {
				t.Errorf("the error repeats the text: %v", err)
			}
		})
	}
}

package postal_test

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"io/fs"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	simulated "github.com/mailvane/mailvane/internal/simulate/postal"
	"github.com/mailvane/mailvane/receiver/provider/postal"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
	"github.com/mailvane/mailvane/receiver/provider/sns/snstest"
)

// pin is a key of settings.
type pin struct {
	ID  string `json:"id"`
	Key string `json:"key"`
}

// pinned returns settings with keys.
func pinned(t testing.TB, keys ...pin) string {
	t.Helper()
	text, err := json.Marshal(map[string][]pin{"publicKeys": keys})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// spki returns a public key as settings have it.
func spki(t testing.TB, key *rsa.PublicKey) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(der)
}

// demo returns the key that the samples are signed with.
func demo(t testing.TB) pin {
	t.Helper()
	var s struct{ PublicKeys []pin }
	text, err := fs.ReadFile(simulated.Files(), "settings.json")
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	if err != nil || len(s.PublicKeys) != 1 {
		t.Fatal(s, err)
	}
	return s.PublicKeys[0]
}

func suite(t testing.TB) providertest.Suite {
	t.Helper()
	key := snstest.NewKey(t, snstest.Named("other"), nil)
	other := pin{"other", spki(t, &key.Private.PublicKey)}
	s := providertest.Suite{
		Retyped:          map[string]string{"direction": "a message that went out", "output": "a failure without a word of a server"},
		Kind:             postal.Kind(),
		OtherSettings:    pinned(t, other),
		RotationSettings: pinned(t, demo(t), other),
		SigningKey:       snstest.DemoKey(),
		OtherSigningKey:  key.PEM,
		SignatureHeaders: []string{"X-Postal-Signature-Kid", "X-Postal-Signature-256"},
		Open:             open,
		// The id of an event is its uuid. A mail that came in has none.
		Identifies: func(at jsontext.Pointer) bool {
			return at == "/uuid" || at != "/event" && !strings.HasPrefix(string(at), "/payload/")
		},
		Volatile: map[string]string{},
	}
	samples, err := fs.Glob(simulated.Files(), "samples/*.http")
	if err != nil {
		t.Fatal(err)
	}
	for _, sample := range samples {
		if name := strings.TrimPrefix(sample, "samples/"); !strings.HasPrefix(name, "inbound") {
			s.Volatile[name+"/timestamp"] = "the uuid says it"
		}
	}
	return s
}

// open returns a body, which can be changed where it is no form.
func open(body []byte) (inner []byte, replace func([]byte) []byte) {
	if len(body) > 0 && body[0] != '{' {
		return nil, func([]byte) []byte { return body }
	}
	return body, func(inner []byte) []byte { return inner }
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	providertest.Run(t, suite(t))
}

func FuzzWebhook(f *testing.F) { providertest.Fuzz(f, suite(f)) }

func BenchmarkWebhook(b *testing.B) { providertest.Benchmark(b, suite(b), "MessageSent") }

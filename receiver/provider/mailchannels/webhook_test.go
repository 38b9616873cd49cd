package mailchannels_test

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/mailchannels"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

// testKey returns an Ed25519 key whose seed counts up from first: 0 for the samples' key.
func testKey(first byte) ed25519.PrivateKey {
	seed := make([]byte, ed25519.SeedSize)
	for i := range seed {
		seed[i] = first + byte(i)
	}
	return ed25519.NewKeyFromSeed(seed)
}

func publicKeyText(t testing.TB, key ed25519.PrivateKey) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(der)
}

func privateKeyPEM(t testing.TB, key ed25519.PrivateKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func pinned(t testing.TB, id string, key ed25519.PrivateKey) string {
	t.Helper()
	return `{"id": "` + id + `", "key": "` + publicKeyText(t, key) + `"}`
}

func settings(keys ...string) string {
	return `{"customerHandles": ["abc123"], "publicKeys": [` + strings.Join(keys, ", ") + `]}`
}

func suite(t testing.TB) providertest.Suite {
	t.Helper()
	key, other := testKey(0), testKey(100)
	return providertest.Suite{
		Kind:              mailchannels.Kind(),
		OtherSettings:     settings(pinned(t, "other", other)),
		RotationSettings:  settings(pinned(t, "other", other), pinned(t, "mckey", key)),
		ToleranceSettings: strings.Replace(settings(pinned(t, "mckey", key)), "{", `{"toleranceSeconds": 300, `, 1),
		SigningKey:        privateKeyPEM(t, key),
		OtherSigningKey:   privateKeyPEM(t, other),
		SignatureHeaders:  []string{"Content-Digest", "Signature-Input", "Signature"},
		SignedAt: func(r *provider.Request) time.Time {
			_, created, _ := strings.Cut(r.Header.Get("Signature-Input"), ";created=")
			created, _, _ = strings.Cut(created, ";")
			seconds, _ := strconv.ParseInt(created, 10, 64)
			return time.Unix(seconds, 0)
		},
	}
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	providertest.Run(t, suite(t))
}

func FuzzWebhook(f *testing.F) { providertest.Fuzz(f, suite(f)) }

func BenchmarkWebhook(b *testing.B) { providertest.Benchmark(b, suite(b), "hard-bounced") }

package mailpace_test

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"testing"

	"github.com/mailvane/mailvane/receiver/provider/mailpace"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

const samplesKey = "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="

// keyOf returns the key of a seed of consecutive bytes, in PEM, and its public half as settings have it.
func keyOf(t testing.TB, first byte) (private []byte, public string) {
	t.Helper()
	seed := make([]byte, ed25519.SeedSize)
	for i := range seed {
		seed[i] = first + byte(i)
	}
	key := ed25519.NewKeyFromSeed(seed)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	half, _ := key.Public().(ed25519.PublicKey)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), base64.StdEncoding.EncodeToString(half)
}

func suite(t testing.TB) providertest.Suite {
	t.Helper()
	private, _ := keyOf(t, 0)
	otherPrivate, other := keyOf(t, 100)
	return providertest.Suite{
		Kind:             mailpace.Kind(),
		OtherSettings:    `{"publicKeys": ["` + other + `"]}`,
		RotationSettings: `{"publicKeys": ["` + samplesKey + `", "` + other + `"]}`,
		SigningKey:       private,
		OtherSigningKey:  otherPrivate,
		SignatureHeaders: []string{"X-Mailpace-Signature"},
	}
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	providertest.Run(t, suite(t))
}

func FuzzWebhook(f *testing.F) { providertest.Fuzz(f, suite(f)) }

func BenchmarkWebhook(b *testing.B) { providertest.Benchmark(b, suite(b), "email.delivered") }

package signingkey_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/mailvane/mailvane/internal/simulate/signingkey"
)

func TestParse(t *testing.T) {
	t.Parallel()
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(own)
	if err != nil {
		t.Fatal(err)
	}
	good := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	if key, err := signingkey.Parse[*ecdsa.PrivateKey]("ECDSA", good); err != nil || !key.Equal(own) {
		t.Errorf("a key: %v", err)
	}
	if _, err := signingkey.Parse[ed25519.PrivateKey]("Ed25519", good); err == nil || !strings.Contains(err.Error(), "not one of Ed25519") {
		t.Errorf("a key of another algorithm: %v", err)
	}
	for name, text := range map[string]string{
		"in PKCS #8 PEM": "", "a private key of ECDSA": "MC4CAQAwBQYDK2VwBCIEIA", "not PKCS #8": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("x")})),
	} {
		if _, err := signingkey.Parse[*ecdsa.PrivateKey]("ECDSA", []byte(text)); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

package custom_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"testing"
)

const (
	whsec      = "whsec_bWFpbHZhbmUtZGVtby1zZWNyZXQtMDAwMA=="
	otherWhsec = "whsec_YW5vdGhlciBzZWNyZXQsIGFsc28gb2YgMjQ="
)

// hmacHex is HMAC-SHA256 in hexadecimal, by the standard library.
func hmacHex(key, message string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(message))
	return hex.EncodeToString(mac.Sum(nil))
}

// newKey makes a private key of a scheme.
func newKey(t testing.TB, scheme string) crypto.Signer {
	t.Helper()
	var key crypto.Signer
	var err error
	switch scheme {
	case "Ed25519":
		_, key, err = ed25519.GenerateKey(rand.Reader)
	case "ECDSA":
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	default:
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// publicPEM is the public half of a key as openssl writes it.
func publicPEM(t testing.TB, key crypto.PublicKey) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// keyPair returns a new private key in PKCS #8 PEM, and its public half in PEM.
func keyPair(t testing.TB, scheme string) (private []byte, public string) {
	t.Helper()
	key := newKey(t, scheme)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), publicPEM(t, key.Public())
}

func der(t testing.TB, key crypto.PublicKey) []byte {
	t.Helper()
	text, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

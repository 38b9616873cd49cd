package signature

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"strings"
)

// errPublicKey says what a key must look like, without saying what it looked like.
var errPublicKey = errors.New("not an Ed25519 public key in base64 SubjectPublicKeyInfo, PEM or base64 of 32 bytes")

// ParsePublicKey reads an Ed25519 public key: base64 of a DER SubjectPublicKeyInfo (RFC 8410), the same in PEM, or
// base64 of the 32 bytes alone.
func ParsePublicKey(text string) (ed25519.PublicKey, error) {
	text = strings.TrimSpace(text)
	if block, _ := pem.Decode([]byte(text)); block != nil {
		return parseSPKI(block.Bytes)
	}
	der, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, errPublicKey
	}
	if len(der) == ed25519.PublicKeySize {
		return ed25519.PublicKey(der), nil
	}
	return parseSPKI(der)
}

func parseSPKI(der []byte) (ed25519.PublicKey, error) {
	parsed, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, errPublicKey
	}
	key, ok := parsed.(ed25519.PublicKey)
	if !ok {
		return nil, errPublicKey
	}
	return key, nil
}

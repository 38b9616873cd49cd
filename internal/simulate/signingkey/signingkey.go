// Package signingkey reads the private keys that samples are signed with.
package signingkey

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
)

// Parse returns a key in PKCS #8 PEM (RFC 5958, RFC 7468), as [x509.ParsePKCS8PrivateKey] does. Algorithm names what K is, for people, such
// as "RSA". No error holds anything of the text.
func Parse[K any](algorithm string, text []byte) (key K, err error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return key, errors.New("signing takes a private key of " + algorithm + " in PKCS #8 PEM")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return key, errors.New("the signing key is not PKCS #8")
	}
	key, ok := parsed.(K)
	if !ok {
		return key, errors.New("the signing key is not one of " + algorithm)
	}
	return key, nil
}

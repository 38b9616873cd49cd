package scheme

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/mailvane/mailvane/receiver/signature"
)

// minRSABits is the shortest RSA key that is taken: what is below is broken (NIST SP 800-131A revision 2).
const minRSABits = 2048

// ParsePublicKey reads a public key of any kind: base64 of a DER SubjectPublicKeyInfo, or the same in PEM. The error does not hold
// the text.
func ParsePublicKey(text string) (crypto.PublicKey, error) {
	text = strings.TrimSpace(text)
	der, err := base64.StdEncoding.DecodeString(text)
	if block, _ := pem.Decode([]byte(text)); block != nil {
		der, err = block.Bytes, nil
	}
	if err != nil {
		return nil, errors.New("must be a public key in base64 or PEM")
	}
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, errors.New("must be a public key in base64 or PEM")
	}
	if r, ok := key.(*rsa.PublicKey); ok && r.N.BitLen() < minRSABits {
		return nil, fmt.Errorf("must have at least %d bits", minRSABits)
	}
	return key, nil
}

// VerifyRSA checks an RSA signature (PKCS #1 v1.5, RFC 8017 section 8.2) over what was hashed. It fails with [signature.ErrMismatch].
func VerifyRSA(key *rsa.PublicKey, hash crypto.Hash, digest, value []byte) error {
	if key.N.BitLen() < minRSABits || rsa.VerifyPKCS1v15(key, hash, digest, value) != nil {
		return signature.ErrMismatch
	}
	return nil
}

// VerifyECDSA checks an ECDSA signature in ASN.1 DER over what was hashed. It fails with [signature.ErrMismatch].
func VerifyECDSA(key *ecdsa.PublicKey, digest, value []byte) error {
	if !ecdsa.VerifyASN1(key, digest, value) {
		return signature.ErrMismatch
	}
	return nil
}

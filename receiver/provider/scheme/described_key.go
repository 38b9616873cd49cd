package scheme

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/mailvane/mailvane/receiver/signature"
)

// minSecretBytes is the length of the shortest secret that is taken: who has seen one request can try all shorter ones.
const minSecretBytes = 8

// hmacMatcher checks the secrets of HMAC.
func hmacMatcher(d *Description, hash crypto.Hash) (matcher, error) {
	keys := make(signature.Keys, 0, len(d.Keys))
	for i, text := range d.Keys {
		key, err := secretOf(text, d.KeyEncoding)
		if err != nil {
			return nil, fmt.Errorf("keyRefs[%d]: %w", i, err)
		}
		keys = append(keys, key)
	}
	macs := keys.MACs(hash.New)
	return func(signatures, message [][]byte) (int, bool) { return macs.MatchAny(signatures, message...) }, nil
}

// secretOf returns the bytes of a secret.
func secretOf(text, encoding string) ([]byte, error) {
	switch decode := decoding(encoding); {
	case strings.Contains(text, "-----BEGIN "):
		return nil, errors.New("must be a secret, and is in PEM; a public key, which others have, would let all of them sign")
	case strings.TrimRight(text, "\r\n") != text:
		return nil, errors.New("must not end with a line break; make the Secret with printf, or kubectl create secret --from-literal")
	case encoding == "":
		if len(strings.TrimSpace(text)) < minSecretBytes {
			return nil, fmt.Errorf("must have at least %d bytes: a shorter secret can be guessed", minSecretBytes)
		}
		return []byte(text), nil
	case decode == nil:
		return nil, errors.New("keyEncoding must be Hex, Base64 or Base64URL")
	default:
		key, err := decode(text)
		if err != nil {
			return nil, errors.New("must be a secret in the encoding of keyEncoding")
		}
		if len(key) < minSecretBytes {
			return nil, fmt.Errorf("must have at least %d bytes: a shorter secret can be guessed", minSecretBytes)
		}
		return key, nil
	}
}

// minCurveBits is the size of the smallest curve that is taken.
const minCurveBits = 256

// describedKey reads a public key of an algorithm: PEM, DER in base64 or hex, or what it is alone in base64 or hex: the 32 bytes of
// Ed25519, or the uncompressed point of ECDSA. Errors do not hold the text.
func describedKey(algorithm, text string) (crypto.PublicKey, error) {
	if strings.Contains(text, "PRIVATE KEY-----") {
		return nil, errors.New("must be a public key, and is a private one; keep it to yourself, and replace it")
	}
	key, err := parseBare(algorithm, strings.TrimSpace(text))
	if err != nil {
		return nil, err
	}
	is := ""
	switch key := key.(type) {
	case ed25519.PublicKey:
		is = algorithmEd25519
	case *rsa.PublicKey:
		is = algorithmRSA
	case *ecdsa.PublicKey:
		if is = algorithmECDSA; key.Curve.Params().BitSize < minCurveBits {
			return nil, fmt.Errorf("must be on a curve of at least %d bits", minCurveBits)
		}
	}
	if is != algorithm {
		return nil, fmt.Errorf("must be a key of scheme %s", algorithm)
	}
	return key, nil
}

// parseBare reads a key as [ParsePublicKey] does, in hex as well, and one that is alone.
func parseBare(algorithm, text string) (crypto.PublicKey, error) {
	bare, err := hex.DecodeString(text)
	if err == nil {
		text = base64.StdEncoding.EncodeToString(bare)
	} else if bare, err = base64.StdEncoding.DecodeString(text); err != nil {
		bare = nil
	}
	if algorithm == algorithmEd25519 && len(bare) == ed25519.PublicKeySize {
		return ed25519.PublicKey(bare), nil
	}
	if algorithm == algorithmECDSA {
		for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
			if key, err := ecdsa.ParseUncompressedPublicKey(curve, bare); err == nil {
				return key, nil
			}
		}
	}
	return ParsePublicKey(text)
}

// verifies reports whether a signature is good. Those of ECDSA are in ASN.1, or the two numbers one after the other (IEEE P1363).
func verifies(key crypto.PublicKey, hash crypto.Hash, whole, digest, value []byte) bool {
	switch key := key.(type) {
	case ed25519.PublicKey:
		return len(value) == ed25519.SignatureSize && ed25519.Verify(key, whole, value)
	case *rsa.PublicKey:
		return VerifyRSA(key, hash, digest, value) == nil
	case *ecdsa.PublicKey:
		if VerifyECDSA(key, digest, value) == nil {
			return true
		}
		size := (key.Curve.Params().BitSize + 7) / 8 //nolint:mnd // bits of a byte
		return len(value) == 2*size && ecdsa.Verify(key, digest, new(big.Int).SetBytes(value[:size]), new(big.Int).SetBytes(value[size:]))
	default:
		return false
	}
}

// joined returns the parts of a message as one.
func joined(message [][]byte) []byte {
	if len(message) == 1 {
		return message[0]
	}
	return slices.Concat(message...)
}

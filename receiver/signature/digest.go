package signature

import (
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"net/http"

	"github.com/dunglas/httpsfv"
)

// contentDigest is the header of RFC 9530 section 2.
const contentDigest = "Content-Digest"

// VerifyContentDigest checks body against the Content-Digest header (RFC 9530). The algorithms of section 5 that are
// not broken, sha-256 and sha-512, are understood: at least one must be present, and each that is present must match.
// It fails with [ErrMissing], [ErrMalformed] or [ErrDigest].
func VerifyContentDigest(h http.Header, body []byte) error {
	values := h.Values(contentDigest)
	if len(values) == 0 {
		return ErrMissing
	}
	digests, err := httpsfv.UnmarshalDictionary(values)
	if err != nil {
		return ErrMalformed
	}
	checked := 0
	for _, algorithm := range digests.Names() {
		want, known := digestOf(algorithm, body)
		if !known {
			continue
		}
		got, err := byteSequence(digests, algorithm)
		if err != nil {
			return err
		}
		if subtle.ConstantTimeCompare(got, want) != 1 {
			return ErrDigest
		}
		checked++
	}
	if checked == 0 {
		return ErrMalformed
	}
	return nil
}

func digestOf(algorithm string, body []byte) (digest []byte, known bool) {
	switch algorithm {
	case "sha-256":
		sum := sha256.Sum256(body)
		return sum[:], true
	case "sha-512":
		sum := sha512.Sum512(body)
		return sum[:], true
	default:
		return nil, false
	}
}

// byteSequence returns the member of a dictionary that must be a byte sequence (RFC 9651 section 3.3.5).
func byteSequence(d *httpsfv.Dictionary, name string) ([]byte, error) {
	member, ok := d.Get(name)
	if !ok {
		return nil, ErrMissing
	}
	item, ok := member.(httpsfv.Item)
	if !ok {
		return nil, ErrMalformed
	}
	value, ok := item.Value.([]byte)
	if !ok {
		return nil, ErrMalformed
	}
	return value, nil
}

package signature

import (
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
	"time"
)

// Header returns the one value of a header, without surrounding white space. It fails with [ErrMissing] when the header
// is absent or empty, and with [ErrMalformed] when it occurs more than once: two values are an invitation to check one
// and to use the other.
func Header(h http.Header, name string) (string, error) {
	values := h.Values(name)
	if len(values) > 1 {
		return "", ErrMalformed
	}
	if len(values) == 0 {
		return "", ErrMissing
	}
	value := strings.TrimSpace(values[0])
	if value == "" {
		return "", ErrMissing
	}
	return value, nil
}

// maxDigestText is the length of the longest text of a digest that is decoded without allocating: SHA-512 in hexadecimal.
const maxDigestText = 128

// DecodeHex fills digest from its hexadecimal text, in either letter case. It fails with [ErrMalformed],
// also when the text has another length.
func DecodeHex(digest []byte, text string) error {
	if len(text) != hex.EncodedLen(len(digest)) {
		return ErrMalformed
	}
	var scratch [maxDigestText]byte
	if _, err := hex.Decode(digest, append(scratch[:0], text...)); err != nil {
		return ErrMalformed
	}
	return nil
}

// DecodeBase64 fills digest from its text in base64 (RFC 4648 section 4), as [DecodeBase64URL] does.
func DecodeBase64(digest []byte, text string) error {
	return decode(base64.StdEncoding, digest, text)
}

// DecodeBase64URL fills digest from its text in unpadded base64url (RFC 4648 section 5). It fails with
// [ErrMalformed], also when the text has another length, and for unused bits that are not zero, so that one digest
// has one spelling.
func DecodeBase64URL(digest []byte, text string) error {
	return decode(base64.RawURLEncoding, digest, text)
}

func decode(encoding *base64.Encoding, digest []byte, text string) error {
	encoding = encoding.Strict()
	if len(text) != encoding.EncodedLen(len(digest)) {
		return ErrMalformed
	}
	var scratch [maxDigestText]byte
	if _, err := encoding.Decode(digest, append(scratch[:0], text...)); err != nil {
		return ErrMalformed
	}
	return nil
}

// CheckTime fails with [ErrTime] when signed is further than tolerance from now, in either direction.
// A tolerance of zero accepts any time.
func CheckTime(signed, now time.Time, tolerance time.Duration) error {
	if tolerance <= 0 {
		return nil
	}
	if signed.Before(now.Add(-tolerance)) || signed.After(now.Add(tolerance)) {
		return ErrTime
	}
	return nil
}

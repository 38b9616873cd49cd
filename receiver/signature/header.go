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

// DecodeHex decodes a hexadecimal digest of size bytes, in either letter case. It fails with [ErrMalformed].
func DecodeHex(text string, size int) ([]byte, error) {
	if len(text) != hex.EncodedLen(size) {
		return nil, ErrMalformed
	}
	digest, err := hex.DecodeString(text)
	if err != nil {
		return nil, ErrMalformed
	}
	return digest, nil
}

// DecodeBase64URL decodes a digest of size bytes in unpadded base64url (RFC 4648 section 5). It fails with
// [ErrMalformed], also for unused bits that are not zero, so that one digest has one spelling.
func DecodeBase64URL(text string, size int) ([]byte, error) {
	encoding := base64.RawURLEncoding.Strict()
	if len(text) != encoding.EncodedLen(size) {
		return nil, ErrMalformed
	}
	digest, err := encoding.DecodeString(text)
	if err != nil {
		return nil, ErrMalformed
	}
	return digest, nil
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

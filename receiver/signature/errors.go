// Package signature holds the primitives that tell an authentic webhook from a forged one: keyed hashes compared in
// constant time against several keys, timestamp tolerances, and HTTP message signatures (RFC 9421) over a content
// digest (RFC 9530) with keys found by their id.
//
// Nothing here parses a payload, reads a clock or logs. The package imports nothing else of Mailvane.
package signature

import "errors"

// The causes for which a request is not authentic. Any other error of this package means that authenticity could not
// be decided.
var (
	// ErrMissing says that a signature header is absent.
	ErrMissing = errors.New("signature header is missing")
	// ErrMalformed says that a signature header cannot be parsed, or that it is ambiguous.
	ErrMalformed = errors.New("signature header is malformed")
	// ErrMismatch says that no key made the signature.
	ErrMismatch = errors.New("signature does not match")
	// ErrDigest says that the body does not have the digest that was signed.
	ErrDigest = errors.New("body does not match its digest")
	// ErrTime says that the signature is too old, expired, or too far in the future.
	ErrTime = errors.New("signature is outside the tolerance")
	// ErrUnknownKey says that the key that the request names does not exist.
	ErrUnknownKey = errors.New("signature key is unknown")
)

// Refused reports whether an error says that a request is not authentic, and not that this could not be decided.
func Refused(err error) bool {
	for _, cause := range []error{ErrMissing, ErrMalformed, ErrMismatch, ErrDigest, ErrTime, ErrUnknownKey} {
		if errors.Is(err, cause) {
			return true
		}
	}
	return false
}

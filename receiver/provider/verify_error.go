package provider

import (
	"errors"

	"github.com/mailvane/mailvane/receiver/signature"
)

// Reason is a closed set of causes for which a request is refused; it is a metric label, and never told to the sender.
type Reason string

// The causes for which a request is refused.
const (
	// ReasonMissing says that a signature header is absent.
	ReasonMissing Reason = "signature_missing"
	// ReasonMalformed says that a signature header cannot be parsed.
	ReasonMalformed Reason = "signature_malformed"
	// ReasonMismatch says that no configured key made the signature.
	ReasonMismatch Reason = "signature_mismatch"
	// ReasonDigest says that the body does not have the digest that was signed.
	ReasonDigest Reason = "digest_mismatch"
	// ReasonTime says that the signature is too old or too far in the future.
	ReasonTime Reason = "outside_tolerance"
	// ReasonUnknownKey says that the key that the request names does not exist.
	ReasonUnknownKey Reason = "unknown_key"
	// ReasonSender says that somebody signed the request who may not post to this endpoint, such as a topic that is not listed.
	ReasonSender Reason = "sender_not_allowed"
)

// VerifyError says that a request is not authentic.
type VerifyError struct {
	// Reason is the cause.
	Reason Reason
}

// Error names the cause and nothing of the request.
func (e *VerifyError) Error() string { return "verify: " + string(e.Reason) }

// Refuse returns a *VerifyError for reason.
func Refuse(reason Reason) error { return &VerifyError{Reason: reason} }

// RefuseSignature turns the errors of package signature that say that a request is not authentic into a *VerifyError.
// Any other error, nil included, is returned as it is.
func RefuseSignature(err error) error {
	switch {
	case errors.Is(err, signature.ErrMissing):
		return Refuse(ReasonMissing)
	case errors.Is(err, signature.ErrMalformed):
		return Refuse(ReasonMalformed)
	case errors.Is(err, signature.ErrMismatch):
		return Refuse(ReasonMismatch)
	case errors.Is(err, signature.ErrDigest):
		return Refuse(ReasonDigest)
	case errors.Is(err, signature.ErrTime):
		return Refuse(ReasonTime)
	case errors.Is(err, signature.ErrUnknownKey):
		return Refuse(ReasonUnknownKey)
	default:
		return err
	}
}

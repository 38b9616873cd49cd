package signature

import (
	"context"
	"crypto/ed25519"
	"net/http"
	"slices"
	"time"
)

// The headers of RFC 9421 section 4.
const (
	signatureHeader      = "Signature"
	signatureInputHeader = "Signature-Input"
)

// MessageVerifier checks HTTP message signatures (RFC 9421) that Ed25519 keys made over the content digest of a
// request. Header fields may be covered as well; derived components such as "@method" and component parameters are
// refused, because a request that passed an ingress no longer shows them as they were signed.
type MessageVerifier struct {
	// Key finds the key of an id. It fails with [ErrUnknownKey] when there is none.
	Key func(ctx context.Context, id string, now time.Time) (ed25519.PublicKey, error)
	// Tolerance bounds how far the created parameter may be from the receipt; zero accepts any time.
	Tolerance time.Duration
}

// Verify returns the id of the key that made a signature of the request that is valid. It does what is cheap first, so a forged
// request costs no key lookup unless its digest and its time are right. Errors other than those of this package mean
// that the key could not be looked up.
func (v MessageVerifier) Verify(ctx context.Context, h http.Header, body []byte, now time.Time) (keyID string, err error) {
	signatures, err := parseSignatures(h)
	if err != nil {
		return "", err
	}
	if err := VerifyContentDigest(h, body); err != nil {
		return "", err
	}
	var failed error
	for _, s := range signatures {
		err := v.verifyOne(ctx, h, s, now)
		if err == nil {
			return s.keyID, nil
		}
		// An undecided signature outweighs a refused one: the sender should try again.
		if failed == nil || !Refused(err) {
			failed = err
		}
	}
	return "", failed
}

func (v MessageVerifier) verifyOne(ctx context.Context, h http.Header, s messageSignature, now time.Time) error {
	if err := v.checkTimes(s, now); err != nil {
		return err
	}
	bases, err := s.bases(h)
	if err != nil {
		return err
	}
	key, err := v.Key(ctx, s.keyID, now)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(bases, func(base []byte) bool { return ed25519.Verify(key, base, s.value) }) {
		return ErrMismatch
	}
	return nil
}

func (v MessageVerifier) checkTimes(s messageSignature, now time.Time) error {
	if s.hasExpires && now.After(s.expires) {
		return ErrTime
	}
	if v.Tolerance > 0 && !s.hasCreated {
		return ErrMalformed
	}
	return CheckTime(s.created, now, v.Tolerance)
}

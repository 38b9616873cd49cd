package scheme

import (
	"errors"
	"hash"
	"strings"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/signature"
)

// Encoding decodes the text of a digest into digest, whose length it must have. It fails with [signature.ErrMalformed].
type Encoding func(digest []byte, text string) error

// HMAC is a keyed hash (RFC 2104) of the raw body in one header. The zero value is not ready; see [NewHMAC].
type HMAC struct {
	// Keys are the secrets that are valid now.
	Keys signature.Keys

	form HMACForm
	macs signature.MACs
	size int
}

// HMACForm says how a provider writes the hash.
type HMACForm struct {
	// Header is the header's name, in the form that net/http keeps it in and otherwise makes at each look.
	Header string
	// Hash makes the hash, such as sha256.New.
	Hash func() hash.Hash
	// Encoding is that of the digest.
	Encoding Encoding
	// Prefix may stand before the digest; "" = nothing may.
	Prefix string
}

// NewHMAC returns the scheme with keys.
func NewHMAC(keys signature.Keys, form HMACForm) HMAC {
	return HMAC{Keys: keys, form: form, macs: keys.MACs(form.Hash), size: form.Hash().Size()}
}

// Verify checks the hash of the request's body, and nothing else of the request: no header is authentic.
func (h *HMAC) Verify(r *provider.Request) (provider.Proof, error) { return Proved(h.verify(r)) }

// maxDigest is the length of the longest digest, in bytes: SHA-512.
const maxDigest = 64

func (h *HMAC) verify(r *provider.Request) (position int, err error) {
	text, err := signature.Header(r.Header, h.form.Header)
	if err != nil {
		return 0, err
	}
	var longest [maxDigest]byte
	mac := longest[:h.size]
	if err := h.form.Encoding(mac, strings.TrimPrefix(text, h.form.Prefix)); err != nil {
		return 0, err
	}
	position, ok := h.macs.Match(mac, r.Body)
	if !ok {
		return 0, signature.ErrMismatch
	}
	return position, nil
}

// NeedKeys returns signature.NewKeys of secrets, and an error when there is none.
func NeedKeys(secrets []string) (signature.Keys, error) {
	keys, err := signature.NewKeys(secrets)
	if err == nil && len(keys) == 0 {
		err = errors.New("must hold at least one secret")
	}
	return keys, err
}

package scheme

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/signature"
)

// The prefixes of keys, and bounds of what a request may hold (standard-webhooks specification, sections "Signature scheme" and
// "Verifying signatures").
const (
	secretPrefix    = "whsec_"
	publicKeyPrefix = "whpk_"
	// maxSignatures is more than a rotation has keys. The signatures beyond are not read.
	maxSignatures = 16
	// maxID is the length, in bytes, up to which an id is kept as it is; those of Svix have 31.
	maxID = 128
	// defaultTolerance is that of the libraries; each attempt is signed anew.
	defaultTolerance = 5 * time.Minute
)

// The names of the three headers, without their prefix. Svix sends its own names, and others those of the specification.
const (
	standardPrefix = "Webhook-"
	svixPrefix     = "Svix-"
	idHeader       = "Id"
	timeHeader     = "Timestamp"
	valueHeader    = "Signature"
)

// StandardWebhooks is the scheme of the specification of that name, which Svix and whoever sends with it use: HMAC-SHA256 or Ed25519
// over id, timestamp and body.
type StandardWebhooks struct {
	keys      signature.Keys
	macs      signature.MACs
	public    []ed25519.PublicKey
	tolerance time.Duration
}

// NewStandardWebhooks returns the scheme with secrets ("whsec_" and base64, the prefix may be missing) and public keys ("whpk_" and base64
// of 32 bytes), of which there must be one. A tolerance of 0 accepts any time. Errors hold no secret.
func NewStandardWebhooks(secrets, publicKeys []string, tolerance time.Duration) (StandardWebhooks, error) {
	s := StandardWebhooks{tolerance: tolerance}
	for i, text := range secrets {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(strings.TrimSpace(text), secretPrefix))
		if err != nil || len(key) == 0 {
			return s, fmt.Errorf("signingSecrets[%d]: must be whsec_ and base64", i)
		}
		s.keys = append(s.keys, key)
	}
	for i, text := range publicKeys {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(strings.TrimSpace(text), publicKeyPrefix))
		if err != nil || len(key) != ed25519.PublicKeySize {
			return s, fmt.Errorf("publicKeys[%d]: must be whpk_ and base64 of 32 bytes", i)
		}
		s.public = append(s.public, key)
	}
	if len(s.keys)+len(s.public) == 0 {
		return s, errors.New("at least one key is needed")
	}
	s.macs = s.keys.MACs(sha256.New)
	return s, nil
}

// Tolerance returns what toleranceSeconds of an endpoint's settings means: five minutes unless it is set, and 0 for any time.
func Tolerance(seconds *int32) (time.Duration, error) {
	if seconds == nil {
		return defaultTolerance, nil
	}
	if *seconds < 0 {
		return 0, errors.New("toleranceSeconds: must not be negative")
	}
	return time.Duration(*seconds) * time.Second, nil
}

// Verify checks the signatures of a request, of which one must be right. Its keys are numbered through, the public ones behind the
// secrets.
func (s *StandardWebhooks) Verify(r *provider.Request) (provider.Proof, error) {
	return Proved(s.verify(r))
}

// ID returns the id of the message, which is the same each time that it is sent, from the headers that [StandardWebhooks.Verify] has
// checked; the hash of an id that is not as ids are, and "" where there is none.
func ID(h http.Header) string {
	id, _ := signature.Header(h, prefixOf(h)+idHeader)
	if len(id) > maxID || strings.ContainsFunc(id, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return event.HashID(id)
	}
	return id
}

// DecodeHeaders are the headers that [ID] reads.
func DecodeHeaders() []string { return []string{svixPrefix + idHeader, standardPrefix + idHeader} }

// prefixOf returns the prefix of the headers: all three come from one set.
func prefixOf(h http.Header) string {
	if len(h[svixPrefix+idHeader]) > 0 {
		return svixPrefix
	}
	return standardPrefix
}

func (s *StandardWebhooks) verify(r *provider.Request) (position int, err error) {
	prefix := prefixOf(r.Header)
	var values [3]string
	for i, name := range [3]string{idHeader, timeHeader, valueHeader} {
		if values[i], err = signature.Header(r.Header, prefix+name); err != nil {
			return 0, err
		}
	}
	at, err := signedAt(values[1])
	if err != nil {
		return 0, err
	}
	head := []byte(values[0] + "." + values[1] + ".")
	position, ok := s.match(values[2], head, r.Body)
	if !ok {
		return 0, signature.ErrMismatch
	}
	return position, signature.CheckTime(at, r.ReceivedAt, s.tolerance)
}

// signedAt reads a time in seconds. Libraries write the number that they read, so only that spelling can have been signed.
func signedAt(text string) (time.Time, error) {
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seconds < 0 || strconv.FormatInt(seconds, 10) != text {
		return time.Time{}, signature.ErrMalformed
	}
	return time.Unix(seconds, 0), nil
}

// match tries each signature with each key. What has no version that is known says nothing.
func (s *StandardWebhooks) match(list string, head, body []byte) (position int, ok bool) {
	position, count := -1, 0
	for entry := range strings.SplitSeq(list, " ") {
		version, text, _ := strings.Cut(entry, ",")
		if version != "v1" && version != "v1a" {
			continue
		}
		if count++; count > maxSignatures {
			break
		}
		value, err := base64.StdEncoding.Strict().DecodeString(text)
		if err != nil {
			continue
		}
		if version == "v1" {
			if key, matches := s.macs.Match(value, head, body); matches {
				position = key
			}
			continue
		}
		for i, key := range s.public {
			if len(value) == ed25519.SignatureSize && ed25519.Verify(key, slices.Concat(head, body), value) {
				position = len(s.keys) + i
			}
		}
	}
	return position, position >= 0
}

// Package peer is how the pods of one receiver talk to each other: where they are, the key that they share, and how a message
// between two of them is signed. What they say is up to others.
package peer

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/mailvane/mailvane/receiver/signature"
)

// The headers of a message. The body is covered by its digest, so that a stranger is refused before it is read.
const (
	headerTime      = "Mailvane-Time"
	headerNonce     = "Mailvane-Nonce"
	headerTo        = "Mailvane-To" // the address of the pod that the message is for
	headerDigest    = "Mailvane-Digest"
	headerSignature = "Mailvane-Signature"
	headerProof     = "Mailvane-Stored" // of the answer: proof that the message was acted on
)

const (
	// Tolerance is how far the clocks of two pods may be apart.
	Tolerance = 5 * time.Minute
	// MinKeyBytes is the least length of a key.
	MinKeyBytes = 32
)

// ErrNotAuthentic says that a message was not signed with the key, not for this pod, not now, or before.
var ErrNotAuthentic = errors.New("not authentic")

var errShortKey = fmt.Errorf("the hand-off key must have at least %d bytes", MinKeyBytes)

// ReadKey returns a function that reads the key from a file, at each use: the key may be rotated.
func ReadKey(path string) func() ([]byte, error) {
	return func() ([]byte, error) {
		key, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read the hand-off key: %w", err)
		}
		key = bytes.TrimSpace(key)
		if len(key) < MinKeyBytes {
			return nil, errShortKey
		}
		return key, nil
	}
}

// Sign signs a message for one pod. Two messages never have one signature, also when they are equal.
func Sign(r *http.Request, to netip.AddrPort, key, body []byte, now time.Time) {
	h := r.Header
	h.Set(headerTime, strconv.FormatInt(now.Unix(), 10))
	h.Set(headerNonce, rand.Text())
	h.Set(headerTo, to.String())
	h.Set(headerDigest, digest(body))
	h.Set(headerSignature, hex.EncodeToString(sum(h, r.URL.Path, key)))
}

// digest returns the SHA-256 of a body, in hex.
func digest(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// ReadBody reads the body of a message whose headers are authentic. The error is ErrNotAuthentic for another body than the one that
// was signed, wraps [http.MaxBytesError] for one longer than limit bytes, or is that of the connection.
func ReadBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err != nil {
		return nil, fmt.Errorf("read message: %w", err)
	}
	if digest(body) != r.Header.Get(headerDigest) {
		return nil, ErrNotAuthentic
	}
	return body, nil
}

// sum is the HMAC of what a message is signed over. One without a nonce has the form of releases that named no addressee.
func sum(h http.Header, path string, key []byte) []byte {
	parts := []string{h.Get(headerTime), h.Get(headerDigest)}
	if h.Get(headerNonce) != "" {
		parts = []string{"v2", path, h.Get(headerTime), h.Get(headerNonce), h.Get(headerTo), h.Get(headerDigest)}
	}
	return signature.HMAC(sha256.New, key, []byte(strings.Join(parts, ".")))
}

// Prove sets the header of an answer which shows that somebody with the key has acted on the message.
func Prove(answer, message http.Header, key []byte) {
	answer.Set(headerProof, hex.EncodeToString(proof(key, message.Get(headerSignature))))
}

// Proven reports whether an answer comes from somebody with the key who has acted on the message.
func Proven(answer, message http.Header, key []byte) bool {
	var mac [sha256.Size]byte
	if err := signature.DecodeHex(mac[:], answer.Get(headerProof)); err != nil {
		return false
	}
	_, matches := (signature.Keys{key}).Match(mac[:], func(key []byte) []byte { return proof(key, message.Get(headerSignature)) })
	return matches
}

func proof(key []byte, of string) []byte {
	return signature.HMAC(sha256.New, key, []byte("stored."+of))
}

// Package handoff moves what a receiver that stops still holds into the journal of another pod of the same receiver, so that
// a rollout during a sink's outage loses nothing although the pods' disks go with them.
//
// A parcel is posted to a peer's admin port, signed with a key that the pods of one receiver share. The peer answers 200 once
// the parcel is on its stable storage, and proves with the key that it was it; only then does the sender forget it. A parcel
// that comes twice is stored once.
package handoff

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/signature"
)

// Path is where parcels are posted.
const Path = "/v1/handoff"

const (
	headerTime      = "Mailvane-Time"
	headerDigest    = "Mailvane-Digest" // the SHA-256 of the body
	headerSignature = "Mailvane-Signature"
	headerStored    = "Mailvane-Stored" // of the answer: proof that the parcel is stored
	// tolerance is how far the clocks of two pods may be apart.
	tolerance = 5 * time.Minute
	// MinKeyBytes is the least length of a key.
	MinKeyBytes = 32
	// maxParcelBytes bounds a parcel: one event of the largest body that an endpoint may take, in base64.
	maxParcelBytes = 160 << 20
)

// errShortKey refuses a key that could be guessed.
var errShortKey = fmt.Errorf("the hand-off key must have at least %d bytes", MinKeyBytes)

// parcel is one request. Its form is a contract between releases: during an upgrade one of them sends to the other.
type parcel struct {
	// Origin is the process that sends, by a name that no other has.
	Origin string `json:"origin"`
	// Sink is what the deliveries are owed to.
	Sink string `json:"sink,omitzero"`
	// Deliveries are events that the sink has not got.
	Deliveries []journal.Delivery `json:"deliveries,omitzero"`
	// DeadLetters are the sender's.
	DeadLetters []journal.DeadLetter `json:"deadLetters,omitzero"`
}

// ReadKey returns a function that reads the key from a file each time, so that a key that was replaced is used at once.
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

// sign signs body as of now. What is signed is in the headers, so that a stranger's body need not be read.
func sign(h http.Header, key, body []byte, now time.Time) {
	at, digest := strconv.FormatInt(now.Unix(), 10), digestOf(body)
	h.Set(headerTime, at)
	h.Set(headerDigest, digest)
	h.Set(headerSignature, hex.EncodeToString(sum(key, at, digest)))
}

func digestOf(body []byte) string {
	digest := sha256.Sum256(body)
	return hex.EncodeToString(digest[:])
}

func sum(key []byte, at, digest string) []byte {
	return signature.HMAC(sha256.New, key, []byte(at+"."+digest))
}

// prove says in the headers of an answer that the parcel with a signature is stored. Whoever else answers at an address
// that was a pod's cannot say so. No time begins like what is hashed, so it is the signature of no parcel.
func prove(answer http.Header, key []byte, of string) {
	answer.Set(headerStored, hex.EncodeToString(proof(key, of)))
}

// proven checks what [prove] says.
func proven(answer http.Header, key []byte, of string) bool {
	var mac [sha256.Size]byte
	err := signature.DecodeHex(mac[:], answer.Get(headerStored))
	return err == nil && (signature.Keys{key}).Match(mac[:], func(key []byte) []byte { return proof(key, of) })
}

func proof(key []byte, of string) []byte {
	return signature.HMAC(sha256.New, key, []byte("stored."+of))
}

var errNotAuthentic = errors.New("not authentic")

// verify checks that the headers were signed with key, within the tolerance of now. The body must have their digest.
func verify(h http.Header, key []byte, now time.Time) error {
	at := h.Get(headerTime)
	seconds, err := strconv.ParseInt(at, 10, 64)
	if err != nil {
		return errNotAuthentic
	}
	var mac [sha256.Size]byte
	if err := signature.DecodeHex(mac[:], h.Get(headerSignature)); err != nil {
		return errNotAuthentic
	}
	if !(signature.Keys{key}).Match(mac[:], func(key []byte) []byte { return sum(key, at, h.Get(headerDigest)) }) {
		return errNotAuthentic
	}
	if signature.CheckTime(time.Unix(seconds, 0), now, tolerance) != nil {
		return errNotAuthentic
	}
	return nil
}

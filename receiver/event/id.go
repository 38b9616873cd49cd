package event

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
)

// hashIDBytes is the length of an id before encoding: 128 bits, enough that 10^12 events collide with a chance of 10^-15.
const hashIDBytes = 16

// IDHash makes of parts that come one after the other the id that [HashID] makes of them. The zero IDHash is not ready; see
// [NewIDHash].
type IDHash struct {
	digest hash.Hash
	length []byte // scratch
}

// NewIDHash returns an IDHash without parts.
func NewIDHash() *IDHash { return &IDHash{digest: sha256.New()} }

// Add adds a part.
func (h *IDHash) Add(part []byte) {
	h.length = binary.AppendUvarint(h.length[:0], uint64(len(part)))
	h.digest.Write(h.length)
	h.digest.Write(part)
}

// AddText adds a part that is text.
func (h *IDHash) AddText(part string) {
	h.length = append(binary.AppendUvarint(h.length[:0], uint64(len(part))), part...)
	h.digest.Write(h.length)
}

// ID returns the id of the parts so far.
func (h *IDHash) ID() string { return hex.EncodeToString(h.digest.Sum(nil)[:hashIDBytes]) }

// HashID returns a deterministic id for the canonical parts that identify an event: 32 lower-case hex digits.
// The parts are length-prefixed, so ("ab", "c") and ("a", "bc") differ.
func HashID(parts ...string) string {
	var scratch [256]byte
	buf := scratch[:0]
	for _, p := range parts {
		buf = binary.AppendUvarint(buf, uint64(len(p)))
		buf = append(buf, p...)
	}
	sum := sha256.Sum256(buf)
	var id [2 * hashIDBytes]byte
	hex.Encode(id[:], sum[:hashIDBytes])
	return string(id[:])
}

// HashBytes returns a deterministic id for one part that identifies an event by itself, in the form of [HashID].
func HashBytes(part []byte) string {
	sum := sha256.Sum256(part)
	var id [2 * hashIDBytes]byte
	hex.Encode(id[:], sum[:hashIDBytes])
	return string(id[:])
}

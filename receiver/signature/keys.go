package signature

import (
	"crypto/hmac"
	"crypto/subtle"
	"errors"
	"hash"
	"strings"
	"sync"
)

// errEmptySecret refuses a secret that anybody could guess.
var errEmptySecret = errors.New("a secret is empty")

// Keys are the symmetric secrets that are valid now: one, or several during a rotation.
type Keys [][]byte

// NewKeys returns the keys for secrets. An empty secret, or one of blanks only, is an error.
func NewKeys(secrets []string) (Keys, error) {
	keys := make(Keys, 0, len(secrets))
	for _, s := range secrets {
		if strings.TrimSpace(s) == "" {
			return nil, errEmptySecret
		}
		keys = append(keys, []byte(s))
	}
	return keys, nil
}

// Match returns the position of the key for which sum yields mac, and reports whether there is one. Every key is tried and every
// comparison takes constant time, so the duration tells neither how much of mac is right nor which key made it.
func (k Keys) Match(mac []byte, sum func(key []byte) []byte) (position int, ok bool) {
	position = -1
	for i, key := range k {
		position = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(mac, sum(key)), i, position)
	}
	return position, position >= 0
}

// MACs are the HMACs (RFC 2104) of messages with several keys. Each keeps what it made of its key, which takes as long as
// half a kilobyte of a message does. They are safe for concurrent use.
type MACs []*sync.Pool // of *macState

type macState struct {
	hash.Hash
	sum []byte
}

// MACs returns the HMACs with the keys.
func (k Keys) MACs(newHash func() hash.Hash) MACs {
	all := make(MACs, 0, len(k))
	for _, key := range k {
		all = append(all, &sync.Pool{New: func() any { return &macState{Hash: hmac.New(newHash, key)} }})
	}
	return all
}

// Match returns what [Keys.Match] does of the HMACs of the parts of a message, one after the other.
func (m MACs) Match(mac []byte, message ...[]byte) (position int, ok bool) {
	one := [1][]byte{mac}
	return m.MatchAny(one[:], message...)
}

// MatchAny returns the position of a key that made one of several HMACs, and reports whether there is one. The message is hashed once
// for each key, however many there are to compare.
func (m MACs) MatchAny(macs [][]byte, message ...[]byte) (position int, ok bool) {
	position = -1
	for i, pool := range m {
		state, _ := pool.Get().(*macState) // it holds nothing else
		state.Reset()
		for _, part := range message {
			state.Write(part)
		}
		state.sum = state.Sum(state.sum[:0])
		for _, mac := range macs {
			position = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(mac, state.sum), i, position)
		}
		pool.Put(state)
	}
	return position, position >= 0
}

// HMAC returns the keyed hash of message (RFC 2104).
func HMAC(newHash func() hash.Hash, key, message []byte) []byte {
	mac := hmac.New(newHash, key)
	mac.Write(message)
	return mac.Sum(nil)
}

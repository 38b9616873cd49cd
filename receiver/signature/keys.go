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

// Match reports whether mac is what sum yields for one of the keys. Every key is tried and every comparison takes
// constant time, so the duration tells neither how much of mac is right nor which key made it.
func (k Keys) Match(mac []byte, sum func(key []byte) []byte) bool {
	matched := 0
	for _, key := range k {
		matched |= subtle.ConstantTimeCompare(mac, sum(key))
	}
	return matched == 1
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

// Match reports what [Keys.Match] does of the HMACs of message.
func (m MACs) Match(mac, message []byte) bool {
	matched := 0
	for _, pool := range m {
		state, _ := pool.Get().(*macState) // it holds nothing else
		state.Reset()
		state.Write(message)
		state.sum = state.Sum(state.sum[:0])
		matched |= subtle.ConstantTimeCompare(mac, state.sum)
		pool.Put(state)
	}
	return matched == 1
}

// HMAC returns the keyed hash of message (RFC 2104).
func HMAC(newHash func() hash.Hash, key, message []byte) []byte {
	mac := hmac.New(newHash, key)
	mac.Write(message)
	return mac.Sum(nil)
}

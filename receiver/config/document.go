package config

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/go-json-experiment/json"
)

// LoadedPath is where a receiver's admin API says which configuration is in force, as a [Loaded].
const LoadedPath = "/v1/config"

// Loaded says which configuration a receiver has loaded, and whether it can take events.
type Loaded struct {
	// Hash is the [Fingerprint] of the configuration; empty before the first.
	Hash string `json:"hash"`
	// JournalProblem says for people why the receiver's journal cannot take events now; empty = it can.
	JournalProblem string `json:"journalProblem,omitzero"`
	// JournalDamage says for people which files of the journal were damaged, until the files that are kept are removed; empty = none.
	JournalDamage string `json:"journalDamage,omitzero"`
	// JournalWarning says for people what is amiss with a journal that takes events and hands them out; empty = nothing is.
	JournalWarning string `json:"journalWarning,omitzero"`
	// HistoryProblem says for people why the history keeps nothing now; empty = it does, or there is none. Events are delivered all the same.
	HistoryProblem string `json:"historyProblem,omitzero"`
	// Problems are what goes wrong at its endpoints, at most [MaxProblems].
	Problems []Problem `json:"problems,omitzero"`
	// Connections are what is known of the ways to its sinks, at most [MaxConnections].
	Connections []Connection `json:"connections,omitzero"`
}

// Encode returns the document of c: the same bytes for the same configuration, also after a receiver has read it.
func Encode(c *Config) ([]byte, error) {
	document, err := json.Marshal(c, json.Deterministic(true))
	if err != nil {
		return nil, fmt.Errorf("encode configuration: %w", err)
	}
	return document, nil
}

// Hash returns the SHA-256 of a document in hexadecimal. Who has it can find out a weak credential in the document by trying: it is
// for those who may read the document.
func Hash(document []byte) string {
	sum := sha256.Sum256(document)
	return hex.EncodeToString(sum[:])
}

// Fingerprint names the document with a [Hash] to who may not read it, but shares the key.
func Fingerprint(key []byte, hash string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("configuration." + hash))
	return hex.EncodeToString(mac.Sum(nil))
}

package config

import (
	"bytes"
	"compress/gzip"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/go-json-experiment/json"
)

// CompressedFileName is the name of the document in a configuration folder when it is compressed with gzip.
const CompressedFileName = FileName + ".gz"

const (
	// maxPlainBytes is the size from which a document is compressed: a Secret holds 1 MiB, and people can read what is plain.
	maxPlainBytes = 512 << 10
	// maxDocumentBytes bounds what a compressed document may grow to.
	maxDocumentBytes = 64 << 20
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
	// Problems are what goes wrong at its endpoints, at most [MaxProblems].
	Problems []Problem `json:"problems,omitzero"`
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

// File returns a document as one file of a configuration folder, compressed when it is large.
func File(document []byte) (name string, content []byte, err error) {
	if len(document) <= maxPlainBytes {
		return FileName, document, nil
	}
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(document); err != nil {
		return "", nil, fmt.Errorf("compress configuration: %w", err)
	}
	if err := w.Close(); err != nil {
		return "", nil, fmt.Errorf("compress configuration: %w", err)
	}
	return CompressedFileName, b.Bytes(), nil
}

func decompress(content []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		return nil, fmt.Errorf("decompress configuration: %w", err)
	}
	document, err := io.ReadAll(io.LimitReader(r, maxDocumentBytes+1))
	if err != nil {
		return nil, fmt.Errorf("decompress configuration: %w", err)
	}
	if len(document) > maxDocumentBytes {
		return nil, fmt.Errorf("decompress configuration: it is larger than %d bytes", maxDocumentBytes)
	}
	return document, nil
}

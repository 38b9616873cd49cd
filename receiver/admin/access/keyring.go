package access

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
)

// Keyring knows the files with the tokens of each right. They are read at each request, so that a token that is replaced takes
// effect at once. The zero Keyring knows no token.
type Keyring struct {
	files  []keyFile
	tokens []keyToken
}

type keyToken struct {
	token string
	right Right
}

type keyFile struct {
	path     string
	right    Right
	optional bool
}

// AddFolder adds a folder with one file for each right, by the right's name. A file that is not there gives the right to nobody:
// a token that is being replaced may be gone for a moment.
func (k *Keyring) AddFolder(path string) {
	for _, right := range Rights() {
		k.files = append(k.files, keyFile{filepath.Join(path, right.String()), right, true})
	}
}

// AddFile adds a file whose tokens give a right.
func (k *Keyring) AddFile(path string, right Right) {
	k.files = append(k.files, keyFile{path: path, right: right})
}

// AddToken adds a token that gives a right.
func (k *Keyring) AddToken(token string, right Right) {
	k.tokens = append(k.tokens, keyToken{token, right})
}

// Check returns why files cannot be used.
func (k *Keyring) Check() error {
	var errs []error
	for _, f := range k.files {
		if _, err := ReadTokens(f.path); err != nil && (!f.optional || !errors.Is(err, fs.ErrNotExist)) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Right returns the greatest right that a token gives; 0 = none. How long that takes says nothing about any token but its length.
func (k *Keyring) Right(token string) Right {
	if len(token) < MinTokenLength {
		return 0
	}
	sum := sha256.Sum256([]byte(token))
	var has Right
	for _, known := range k.all() {
		other := sha256.Sum256([]byte(known.token))
		if subtle.ConstantTimeCompare(sum[:], other[:]) == 1 {
			has = max(has, known.right)
		}
	}
	return has
}

// all returns every token that is known now.
func (k *Keyring) all() []keyToken {
	all := slices.Clone(k.tokens)
	for _, f := range k.files {
		tokens, err := ReadTokens(f.path)
		if err != nil { // which Check has told, or a token is being replaced
			continue
		}
		for _, token := range tokens {
			all = append(all, keyToken{token, f.right})
		}
	}
	return all
}

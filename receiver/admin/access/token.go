package access

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

const (
	// tokenBytes is how many random bytes a token is made of.
	tokenBytes = 32
	// MinTokenLength is the least length of a token, in characters: what 32 bytes take in base64 without padding.
	MinTokenLength = 43
	// maxTokens bounds the tokens of one right: an old and a new one, and some more.
	maxTokens = 8
	// maxFileBytes bounds what is read of a file with tokens.
	maxFileBytes = 16 << 10
)

// tokenCharacters are those of a bearer token (RFC 6750 section 2.1).
const tokenCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/="

// NewToken returns a token that nobody can guess.
func NewToken() string {
	random := make([]byte, tokenBytes)
	_, _ = rand.Read(random) // which never fails
	return base64.RawURLEncoding.EncodeToString(random)
}

var (
	errNoToken = errors.New("there is no token in it")
	errShort   = fmt.Errorf("a token must have at least %d characters, such as openssl rand -base64 32 makes", MinTokenLength)
	errToken   = errors.New("a token has letters, digits and -._~+/= alone; write each on a line of its own")
	errMany    = fmt.Errorf("there are more than %d tokens in it", maxTokens)
)

// ParseTokens returns the tokens of a file, one a line. There may be several, so that a new one can be handed out before the old
// one goes. No error quotes a token.
func ParseTokens(content []byte) ([]string, error) {
	var tokens []string
	for line := range bytes.Lines(content) {
		token := string(bytes.TrimSpace(line))
		switch {
		case token == "":
			continue
		case len(token) < MinTokenLength:
			return nil, errShort
		case strings.Trim(token, tokenCharacters) != "":
			return nil, errToken
		case len(tokens) == maxTokens:
			return nil, errMany
		}
		tokens = append(tokens, token)
	}
	if len(tokens) == 0 {
		return nil, errNoToken
	}
	return tokens, nil
}

// ReadTokens returns the tokens of a file.
func ReadTokens(path string) ([]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read admin tokens: %w", err)
	}
	defer func() { _ = file.Close() }() // it was only read
	content, err := io.ReadAll(io.LimitReader(file, maxFileBytes))
	if err != nil {
		return nil, fmt.Errorf("read admin tokens: %w", err)
	}
	tokens, err := ParseTokens(content)
	if err != nil {
		return nil, fmt.Errorf("admin tokens %s: %w", path, err)
	}
	return tokens, nil
}

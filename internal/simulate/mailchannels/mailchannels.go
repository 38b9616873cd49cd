// Package mailchannels makes the requests that MailChannels would send.
package mailchannels

import (
	"crypto/ed25519"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/internal/simulate/signingkey"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/mailchannels/settings"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

//go:embed samples/*.http settings.json
var files embed.FS

// Files returns the samples and the settings that they are signed for.
func Files() fs.FS { return files }

// The headers of a signed request (RFC 9421 section 4, RFC 9530 section 2).
const (
	contentDigestHeader  = "Content-Digest"
	signatureInputHeader = "Signature-Input"
	signatureHeader      = "Signature"
)

// Sign signs the digest of the body with signingKey, whose public half must be among the pinned keys: its id there is the key's id.
func Sign(data, signingKey []byte, r *provider.Request) error {
	key, err := signingkey.Parse[ed25519.PrivateKey]("Ed25519", signingKey)
	if err != nil {
		return fmt.Errorf("mailchannels: %w", err)
	}
	id, err := idOf(data, key)
	if err != nil {
		return fmt.Errorf("mailchannels: %w", err)
	}
	if r.Header == nil {
		r.Header = http.Header{}
	}
	sum := sha256.Sum256(r.Body)
	digest := "sha-256=" + byteSequence(sum[:])
	created := strconv.FormatInt(r.ReceivedAt.Unix(), 10)
	params := `("content-digest");created=` + created + `;alg="ed25519";keyid="` + id + `"`
	base := `"content-digest": ` + digest + "\n" + `"@signature-params": ` + params
	label := "sig_" + created
	r.Header.Set(contentDigestHeader, digest)
	r.Header.Set(signatureInputHeader, label+"="+params)
	r.Header.Set(signatureHeader, label+"="+byteSequence(ed25519.Sign(key, []byte(base))))
	return nil
}

// byteSequence is the form of RFC 9651 section 3.3.5.
func byteSequence(b []byte) string {
	return ":" + base64.StdEncoding.EncodeToString(b) + ":"
}

// idOf returns the id under which the public half of key is pinned.
func idOf(data []byte, key ed25519.PrivateKey) (string, error) {
	s, err := settings.Parse(data)
	if err != nil {
		return "", err
	}
	for _, id := range slices.Sorted(maps.Keys(s.Pinned)) {
		if s.Pinned[id].Equal(key.Public()) {
			return id, nil
		}
	}
	return "", errors.New("publicKeys: the public half of the signing key is not among them")
}

// Freshen gives the items of a sample another request, another message and the time now.
func Freshen(r *provider.Request, unique string) {
	seconds := strconv.FormatInt(r.ReceivedAt.Unix(), 10)
	r.Body = wire.Edit(r.Body, func(pointer jsontext.Pointer, token jsontext.Token) string {
		if token.Kind() == jsontext.KindBeginObject {
			return ""
		}
		switch pointer.LastToken() {
		case "request_id":
			return wire.Quote(unique)
		case "smtp_id":
			return wire.Quote("<" + unique + "@example.com>")
		case "timestamp":
			return seconds
		default:
			return ""
		}
	})
}

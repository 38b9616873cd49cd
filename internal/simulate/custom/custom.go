// Package custom makes the requests of a sender that settings describe. What they say is made up, and what "mailvane send" sends to an
// endpoint of type Custom.
package custom

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha512" // SHA384 and SHA512
	"embed"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/internal/simulate/signingkey"
	"github.com/mailvane/mailvane/internal/simulate/standardwebhooks"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/custom/settings"
	"github.com/mailvane/mailvane/receiver/provider/wire"
	basic "github.com/mailvane/mailvane/receiver/settings"
	"github.com/mailvane/mailvane/receiver/signature"
)

//go:embed samples/*.http settings.json
var files embed.FS

// Files returns the samples and the settings that they are signed for.
func Files() fs.FS { return files }

var errPublic = errors.New("custom: only whsec_ secrets sign")

// Sign signs as the settings say, with the first secret, or with signingKey where they have public keys.
func Sign(data, signingKey []byte, r *provider.Request) error {
	var all settings.Settings
	err := basic.Decode(data, &all)
	if err == nil {
		_, err = settings.Parse(data)
	}
	if err != nil {
		return fmt.Errorf("custom: %w", err)
	}
	if r.Header == nil {
		r.Header = http.Header{}
	}
	s := &all.Signature
	switch s.Scheme {
	case settings.None:
		return nil
	case settings.StandardWebhooks:
		if !strings.HasPrefix(s.Keys[0], "whsec_") {
			return errPublic
		}
		standardwebhooks.SignWith(s.Keys[0], "Webhook-", r)
		return nil
	case settings.HMAC, settings.Ed25519, settings.ECDSA, settings.RSA:
	}
	stamp := strconv.FormatInt(r.ReceivedAt.Unix(), 10)
	value, err := sign(s, signingKey, signed(s, stamp, r))
	if err != nil {
		return fmt.Errorf("custom: %w", err)
	}
	set(s, stamp, encode(s.Encoding, value), r.Header)
	return nil
}

// signed returns what is signed. A header that the sample does not have is made up.
func signed(s *settings.Signature, stamp string, r *provider.Request) []byte {
	parts := s.Signed
	if len(parts) == 0 {
		parts = []string{"body"}
	}
	var text strings.Builder
	for _, p := range parts {
		name, isHeader := strings.CutPrefix(p, "header:")
		switch {
		case p == "body":
			text.Write(r.Body)
		case p == "timestamp", isHeader && strings.EqualFold(name, s.TimestampHeader):
			text.WriteString(stamp)
		case p == "url":
			text.WriteString(r.URL())
		case isHeader:
			if r.Header.Get(name) == "" {
				r.Header.Set(name, "example")
			}
			text.WriteString(r.Header.Get(name))
		default:
			text.WriteString(strings.TrimPrefix(p, "text:"))
		}
	}
	return []byte(text.String())
}

func sign(s *settings.Signature, signingKey, message []byte) ([]byte, error) {
	hash := map[string]crypto.Hash{"": crypto.SHA256, "SHA256": crypto.SHA256, "SHA384": crypto.SHA384, "SHA512": crypto.SHA512}[s.Hash]
	digest := hash.New()
	digest.Write(message)
	switch s.Scheme {
	case settings.HMAC:
		return signature.HMAC(hash.New, secret(s), message), nil
	case settings.Ed25519:
		key, err := signingkey.Parse[ed25519.PrivateKey]("Ed25519", signingKey)
		if err != nil {
			return nil, err
		}
		return ed25519.Sign(key, message), nil
	case settings.ECDSA:
		key, err := signingkey.Parse[*ecdsa.PrivateKey]("ECDSA", signingKey)
		if err != nil {
			return nil, err
		}
		return key.Sign(rand.Reader, digest.Sum(nil), hash)
	default:
		key, err := signingkey.Parse[*rsa.PrivateKey]("RSA", signingKey)
		if err != nil {
			return nil, err
		}
		return key.Sign(rand.Reader, digest.Sum(nil), hash)
	}
}

// secret returns the bytes of the first secret, which was found to be one.
func secret(s *settings.Signature) []byte {
	var key []byte
	switch text := strings.TrimRight(s.Keys[0], "="); s.KeyEncoding {
	case settings.Hex:
		key, _ = hex.DecodeString(text)
	case settings.Base64:
		key, _ = base64.RawStdEncoding.DecodeString(text)
	case settings.Base64URL:
		key, _ = base64.RawURLEncoding.DecodeString(text)
	default:
		key = []byte(s.Keys[0])
	}
	return key
}

func encode(encoding settings.Encoding, value []byte) string {
	switch encoding {
	case settings.Base64:
		return base64.StdEncoding.EncodeToString(value)
	case settings.Base64URL:
		return base64.RawURLEncoding.EncodeToString(value)
	default:
		return hex.EncodeToString(value)
	}
}

// set sets the headers of signature and timestamp.
func set(s *settings.Signature, stamp, text string, h http.Header) {
	if s.TimestampHeader != "" {
		h.Set(s.TimestampHeader, stamp)
	}
	text = s.Prefix + text
	if s.SignatureName != "" {
		text = s.SignatureName + "=" + text
	}
	if s.TimestampName != "" {
		text = s.TimestampName + "=" + stamp + "," + text
	}
	h.Set(s.Header, text)
}

// Freshen gives the events of a sample another id and the time now.
func Freshen(r *provider.Request, unique string) {
	r.Header.Del("Webhook-Id") // which is made of the body where there is none
	now := wire.Quote(r.ReceivedAt.UTC().Format("2006-01-02T15:04:05.000Z"))
	count := 0
	r.Body = wire.Edit(r.Body, func(at jsontext.Pointer, _ jsontext.Token) string {
		switch at.LastToken() {
		case "id":
			count++
			return wire.Quote(unique + "-" + strconv.Itoa(count))
		case "at":
			return now
		default:
			return ""
		}
	})
}

package mailchannels

import (
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// The headers of a signed request (RFC 9421 section 4, RFC 9530 section 2).
const (
	contentDigestHeader  = "Content-Digest"
	signatureInputHeader = "Signature-Input"
	signatureHeader      = "Signature"
)

// sign signs the digest of the body with signingKey, whose public half must be among the pinned keys: its id there is the key's id.
func sign(data, signingKey []byte, r *provider.Request) error {
	key, err := parseSigningKey(signingKey)
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

func parseSigningKey(text []byte) (ed25519.PrivateKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("signing takes an Ed25519 private key in PKCS #8 PEM")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("the signing key is not PKCS #8")
	}
	key, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return nil, errors.New("the signing key is not an Ed25519 key")
	}
	return key, nil
}

// idOf returns the id under which the public half of key is pinned.
func idOf(data []byte, key ed25519.PrivateKey) (string, error) {
	var s settings
	if err := wire.DecodeSettings(data, &s); err != nil {
		return "", err
	}
	pinned, err := pinnedKeys(s.PublicKeys)
	if err != nil {
		return "", err
	}
	for _, k := range s.PublicKeys {
		if pinned[k.ID].Equal(key.Public()) {
			return k.ID, nil
		}
	}
	return "", errors.New("publicKeys: the public half of the signing key is not among them")
}

// freshen gives the items of a sample another request, another message and the time now.
func freshen(body []byte, unique string, now time.Time) []byte {
	seconds := strconv.FormatInt(now.Unix(), 10)
	return wire.Edit(body, func(pointer jsontext.Pointer, token jsontext.Token) string {
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

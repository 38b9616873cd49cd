// Package postal makes the requests that an installation of Postal would send.
package postal

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/internal/simulate/signingkey"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/postal/settings"
	"github.com/mailvane/mailvane/receiver/provider/wire"
	basic "github.com/mailvane/mailvane/receiver/settings"
)

//go:embed samples/*.http settings.json
var files embed.FS

// Files returns the samples and the settings that they are signed for.
func Files() fs.FS { return files }

// Sign signs with a key in PKCS #8 PEM, whose public half must be the first of the settings' pinned keys.
func Sign(data, signingKey []byte, r *provider.Request) error {
	var s settings.Settings
	err := basic.Decode(data, &s)
	if err == nil {
		_, err = settings.Parse(data)
	}
	if err != nil {
		return fmt.Errorf("postal: %w", err)
	}
	if len(s.PublicKeys) == 0 {
		return errors.New("postal: the settings must have a public key")
	}
	key, err := signingkey.Parse[*rsa.PrivateKey]("RSA", signingKey)
	if err != nil {
		return err
	}
	digest := sha256.Sum256(r.Body)
	value, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
	if err != nil {
		return fmt.Errorf("postal: sign: %w", err)
	}
	if r.Header == nil {
		r.Header = http.Header{}
	}
	r.Header.Del("X-Postal-Signature") // it is made with SHA-1, and nobody reads it
	r.Header.Set("X-Postal-Signature-KID", s.PublicKeys[0].ID)
	r.Header.Set("X-Postal-Signature-256", base64.StdEncoding.EncodeToString(value))
	return nil
}

// Freshen gives a sample another id and the time now where it has one.
func Freshen(r *provider.Request, unique string) {
	now := strconv.FormatInt(r.ReceivedAt.Unix(), 10)
	if r.Body[0] != '{' {
		r.Body = freshForm(r.Body, unique, now)
		return
	}
	mail := bytes.Contains(r.Body, []byte(`"rcpt_to"`))
	r.Body = wire.Edit(r.Body, func(at jsontext.Pointer, _ jsontext.Token) string {
		switch {
		case at == "/uuid", at == "/id" && mail:
			return wire.Quote(unique)
		case at.LastToken() == "timestamp":
			return now
		default:
			return ""
		}
	})
}

// freshForm does that to a form.
func freshForm(body []byte, unique, now string) []byte {
	fresh := map[string]string{"id": unique, "timestamp": now}
	pairs := bytes.Split(body, []byte{'&'})
	for i, pair := range pairs {
		name, _, _ := bytes.Cut(pair, []byte{'='})
		if value, ok := fresh[string(name)]; ok {
			pairs[i] = []byte(string(name) + "=" + url.QueryEscape(value))
		}
	}
	return bytes.Join(pairs, []byte{'&'})
}

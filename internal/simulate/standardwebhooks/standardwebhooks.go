// Package standardwebhooks makes the requests that a sender by the specification of Standard Webhooks would send.
package standardwebhooks

import (
	"crypto/ed25519"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/internal/simulate/signingkey"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/standardwebhooks/settings"
	"github.com/mailvane/mailvane/receiver/provider/wire"
	basic "github.com/mailvane/mailvane/receiver/settings"
	"github.com/mailvane/mailvane/receiver/signature"
)

//go:embed samples/*.http settings.json
var files embed.FS

// Files returns the samples and the settings that they are signed for.
func Files() fs.FS { return files }

// prefix begins the names of the headers.
const prefix = "Webhook-"

// Sign signs with the first secret, or, where there is none, with the Ed25519 key signingKey.
func Sign(data, signingKey []byte, r *provider.Request) error {
	var s settings.Settings
	err := basic.Decode(data, &s)
	if err == nil {
		_, err = settings.Parse(data)
	}
	if err == nil && len(s.SigningSecrets) > 0 {
		SignWith(s.SigningSecrets[0], prefix, r)
		return nil
	}
	key, keyErr := signingkey.Parse[ed25519.PrivateKey]("Ed25519", signingKey)
	if err == nil {
		err = keyErr
	}
	if err != nil {
		return fmt.Errorf("standardwebhooks: %w", err)
	}
	head := begin(r, prefix)
	r.Header.Set(prefix+"Signature", "v1a,"+base64.StdEncoding.EncodeToString(ed25519.Sign(key, append(head, r.Body...))))
	return nil
}

// SignWith sets the three headers of a prefix, with the signature of a secret that was found to be one. The id is kept; where there is
// none it is made of the body, so that the same body stays the same message.
func SignWith(secret, prefix string, r *provider.Request) {
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	mac := signature.HMAC(sha256.New, key, append(begin(r, prefix), r.Body...))
	r.Header.Set(prefix+"Signature", "v1,"+base64.StdEncoding.EncodeToString(mac))
}

// begin sets the headers beside the signature, and returns what is signed before the body.
func begin(r *provider.Request, prefix string) []byte {
	if r.Header == nil {
		r.Header = http.Header{}
	}
	if r.Header.Get(prefix+"Id") == "" {
		r.Header.Set(prefix+"Id", "msg_"+event.HashBytes(r.Body))
	}
	r.Header.Set(prefix+"Timestamp", strconv.FormatInt(r.ReceivedAt.Unix(), 10))
	return []byte(r.Header.Get(prefix+"Id") + "." + r.Header.Get(prefix+"Timestamp") + ".")
}

// Freshen makes a message of a sample that is another one and happens now.
func Freshen(r *provider.Request, unique string) { FreshenWith(r, prefix, unique) }

// FreshenWith does what [Freshen] does, with headers of a prefix.
func FreshenWith(r *provider.Request, prefix, unique string) {
	r.Header.Set(prefix+"Id", "msg_"+unique)
	now := wire.Quote(r.ReceivedAt.UTC().Format("2006-01-02T15:04:05.000Z"))
	r.Body = wire.Edit(r.Body, func(at jsontext.Pointer, _ jsontext.Token) string {
		switch at {
		case "/created_at", "/timestamp", "/data/click/timestamp", "/data/open/timestamp":
			return now
		case "/data/email_id":
			return wire.Quote(unique)
		default:
			return ""
		}
	})
}

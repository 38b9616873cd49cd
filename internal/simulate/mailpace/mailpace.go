// Package mailpace makes the requests that MailPace would send.
package mailpace

import (
	"crypto/ed25519"
	"embed"
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/internal/simulate/signingkey"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/mailpace/settings"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

//go:embed samples/*.http settings.json
var files embed.FS

// Files returns the samples and the settings that they are signed for.
func Files() fs.FS { return files }

// Sign signs with a key in PKCS #8 PEM, whose public half must be among those of the settings.
func Sign(data, signingKey []byte, r *provider.Request) error {
	if _, err := settings.Parse(data); err != nil {
		return fmt.Errorf("mailpace: %w", err)
	}
	key, err := signingkey.Parse[ed25519.PrivateKey]("Ed25519", signingKey)
	if err != nil {
		return fmt.Errorf("mailpace: %w", err)
	}
	if r.Header == nil {
		r.Header = http.Header{}
	}
	r.Header.Set("X-MailPace-Signature", base64.StdEncoding.EncodeToString(ed25519.Sign(key, r.Body)))
	return nil
}

// Freshen makes a sample about another message, and happen now.
func Freshen(r *provider.Request, unique string) {
	now := wire.Quote(r.ReceivedAt.UTC().Format("2006-01-02T15:04:05.000Z"))
	r.Body = wire.Edit(r.Body, func(at jsontext.Pointer, _ jsontext.Token) string {
		switch at {
		case "/payload/message_id":
			return wire.Quote("<" + unique + "@mailer.mailpace.com>")
		case "/payload/updated_at":
			return now
		default:
			return ""
		}
	})
}

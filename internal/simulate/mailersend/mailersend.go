// Package mailersend makes the requests that MailerSend would send.
package mailersend

import (
	"crypto/sha256"
	"embed"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/mailersend/settings"
	"github.com/mailvane/mailvane/receiver/provider/wire"
	"github.com/mailvane/mailvane/receiver/signature"
)

//go:embed samples/*.http settings.json
var files embed.FS

// Files returns the samples and the settings that they are signed for.
func Files() fs.FS { return files }

// Sign sets the signature that MailerSend would send with the first secret.
func Sign(data, _ []byte, r *provider.Request) error {
	s, err := settings.Parse(data)
	if err != nil {
		return fmt.Errorf("mailersend: %w", err)
	}
	if r.Header == nil {
		r.Header = http.Header{}
	}
	r.Header.Set("Signature", hex.EncodeToString(signature.HMAC(sha256.New, s.Keys[0], r.Body)))
	return nil
}

// Freshen gives a sample other ids and the time now, to the microsecond of which some events have nothing else that tells them apart.
func Freshen(r *provider.Request, unique string) {
	digest := sha256.Sum256([]byte(unique))
	microseconds := time.Duration(binary.BigEndian.Uint32(digest[:])%1e6) * time.Microsecond
	now := r.ReceivedAt.UTC().Truncate(time.Second).Add(microseconds).Format("2006-01-02T15:04:05.000000Z")
	r.Body = wire.Edit(r.Body, func(at jsontext.Pointer, token jsontext.Token) string {
		if token.Kind() != jsontext.KindString {
			return ""
		}
		switch at {
		case "/data/id", "/data/morph/id":
			return wire.Quote(unique)
		case "/created_at", "/data/created_at", "/data/morph/created_at":
			return wire.Quote(now)
		default:
			return ""
		}
	})
}

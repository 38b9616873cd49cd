// Package nylas makes the requests that Nylas would send.
package nylas

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/nylas/settings"
	"github.com/mailvane/mailvane/receiver/provider/wire"
	"github.com/mailvane/mailvane/receiver/signature"
)

//go:embed samples/*.http settings.json
var files embed.FS

// Files returns the samples and the settings that they are signed for.
func Files() fs.FS { return files }

// Sign sets the signature that Nylas would send with the first secret.
func Sign(data, _ []byte, r *provider.Request) error {
	s, err := settings.Parse(data)
	if err != nil {
		return fmt.Errorf("nylas: %w", err)
	}
	if r.Header == nil {
		r.Header = http.Header{}
	}
	r.Header.Set("X-Nylas-Signature", hex.EncodeToString(signature.HMAC(sha256.New, s.Keys[0], r.Body)))
	return nil
}

// Freshen gives the notification of a sample another id and the time now.
func Freshen(r *provider.Request, unique string) {
	now := strconv.FormatInt(r.ReceivedAt.Unix(), 10)
	r.Body = wire.Edit(r.Body, func(at jsontext.Pointer, _ jsontext.Token) string {
		switch at {
		case "/id":
			return wire.Quote(unique)
		case "/time":
			return now
		default:
			return ""
		}
	})
}

// Package mailtrap makes the requests that Mailtrap would send.
package mailtrap

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
	"github.com/mailvane/mailvane/receiver/provider/mailtrap/settings"
	"github.com/mailvane/mailvane/receiver/provider/wire"
	"github.com/mailvane/mailvane/receiver/signature"
)

//go:embed samples/*.http settings.json
var files embed.FS

// Files returns the samples and the settings that they are signed for.
func Files() fs.FS { return files }

// Sign sets the signature that Mailtrap would send with the first secret; without one it sends none.
func Sign(data, _ []byte, r *provider.Request) error {
	s, err := settings.Parse(data)
	if err != nil {
		return fmt.Errorf("mailtrap: %w", err)
	}
	if len(s.Keys) == 0 {
		return nil
	}
	if r.Header == nil {
		r.Header = http.Header{}
	}
	r.Header.Set("Mailtrap-Signature", hex.EncodeToString(signature.HMAC(sha256.New, s.Keys[0], r.Body)))
	return nil
}

// Freshen gives the events of a sample another id and the time now.
func Freshen(r *provider.Request, unique string) {
	now := strconv.FormatInt(r.ReceivedAt.Unix(), 10)
	r.Body = wire.Edit(r.Body, func(at jsontext.Pointer, _ jsontext.Token) string {
		switch at.LastToken() {
		case "event_id":
			return wire.Quote(unique)
		case "timestamp":
			return now
		default:
			return ""
		}
	})
}

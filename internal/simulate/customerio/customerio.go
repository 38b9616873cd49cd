// Package customerio makes the requests that Customer.io would send.
package customerio

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
	"github.com/mailvane/mailvane/receiver/provider/customerio/settings"
	"github.com/mailvane/mailvane/receiver/provider/wire"
	"github.com/mailvane/mailvane/receiver/signature"
)

//go:embed samples/*.http settings.json
var files embed.FS

// Files returns the samples and the settings that they are signed for.
func Files() fs.FS { return files }

// Sign signs with the first key, at the time of the request.
func Sign(data, _ []byte, r *provider.Request) error {
	s, err := settings.Parse(data)
	if err != nil {
		return fmt.Errorf("customerio: %w", err)
	}
	if r.Header == nil {
		r.Header = http.Header{}
	}
	stamp := strconv.FormatInt(r.ReceivedAt.Unix(), 10)
	signed := append([]byte("v0:"+stamp+":"), r.Body...)
	r.Header.Set("X-CIO-Timestamp", stamp)
	r.Header.Set("X-CIO-Signature", hex.EncodeToString(signature.HMAC(sha256.New, s.Keys[0], signed)))
	return nil
}

// Freshen gives a sample another id and the time now.
func Freshen(r *provider.Request, unique string) {
	now := strconv.FormatInt(r.ReceivedAt.Unix(), 10)
	r.Body = wire.Edit(r.Body, func(at jsontext.Pointer, _ jsontext.Token) string {
		switch at {
		case "/event_id":
			return wire.Quote(unique)
		case "/timestamp":
			return now
		default:
			return ""
		}
	})
}

// Package webexconnect makes the requests that Webex Connect would send.
package webexconnect

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/webexconnect/settings"
	"github.com/mailvane/mailvane/receiver/provider/wire"
	"github.com/mailvane/mailvane/receiver/signature"
)

//go:embed samples/*.http settings.json
var files embed.FS

// Files returns the samples and the settings that they are signed for.
func Files() fs.FS { return files }

// Sign sets the signature that the platform would send with the first hub secret; without one it sends none.
func Sign(data, _ []byte, r *provider.Request) error {
	s, err := settings.Parse(data)
	if err != nil {
		return fmt.Errorf("webexconnect: %w", err)
	}
	if len(s.Keys) == 0 {
		return nil
	}
	if r.Header == nil {
		r.Header = http.Header{}
	}
	newHash, prefix := sha256.New, "sha256="
	switch s.Algorithm {
	case settings.SHA256:
	case settings.SHA512:
		newHash, prefix = sha512.New, "sha512="
	case settings.SHA1:
		newHash, prefix = sha1.New, "sha1="
	}
	r.Header.Set("X-Hub-Signature", prefix+hex.EncodeToString(signature.HMAC(newHash, s.Keys[0], r.Body)))
	return nil
}

// Freshen gives a sample a new transaction and the time now.
func Freshen(r *provider.Request, unique string) {
	at := r.ReceivedAt.UTC().Format("2006-01-02T15:04:05.000Z07:00")
	r.Body = wire.Edit(r.Body, func(pointer jsontext.Pointer, token jsontext.Token) string {
		if token.Kind() == jsontext.KindBeginObject {
			return ""
		}
		switch pointer.LastToken() {
		case "transid", "tid":
			return wire.Quote(unique)
		case "timeStamp", "ts":
			return wire.Quote(at)
		default:
			return ""
		}
	})
}

// Package unisendergo makes the requests that Unisender Go would send.
package unisendergo

import (
	"crypto/md5"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/unisendergo/settings"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

//go:embed samples/*.http settings.json
var files embed.FS

// Files returns the samples and the settings that they are signed for.
func Files() fs.FS { return files }

// Sign puts the MD5 of the body with the first key in the place of auth there.
func Sign(data, _ []byte, r *provider.Request) error {
	s, err := settings.Parse(data)
	if err != nil {
		return fmt.Errorf("unisendergo: %w", err)
	}
	sum := md5.Sum(auth(r.Body, `"`+string(s.Keys[0])+`"`))
	r.Body = auth(r.Body, wire.Quote(hex.EncodeToString(sum[:])))
	return nil
}

// auth returns a body with other JSON, or what stands in its place, as its member auth.
func auth(body []byte, value string) []byte {
	return wire.Edit(body, func(at jsontext.Pointer, _ jsontext.Token) string {
		if at == "/auth" {
			return value
		}
		return ""
	})
}

// Freshen gives the events of a sample another job and the time now.
func Freshen(r *provider.Request, unique string) {
	now := r.ReceivedAt.UTC().Format("2006-01-02 15:04:05")
	r.Body = wire.Edit(r.Body, func(at jsontext.Pointer, token jsontext.Token) string {
		switch at.LastToken() {
		case "job_id":
			return wire.Quote(unique + "-" + token.String())
		case "domain": // of what has no job
			return wire.Quote(unique + ".example.com")
		case "event_time", "block_time":
			return wire.Quote(now)
		default:
			return ""
		}
	})
}

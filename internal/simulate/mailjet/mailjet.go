// Package mailjet makes the requests that Mailjet would send.
package mailjet

import (
	"embed"
	"io/fs"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

//go:embed samples/*.http settings.json
var files embed.FS

// Files returns the samples and the settings that they are sent for.
func Files() fs.FS { return files }

// Sign does nothing: Mailjet signs nothing.
func Sign(_, _ []byte, _ *provider.Request) error { return nil }

// Freshen gives a sample another message id, and the time now where it has one.
func Freshen(r *provider.Request, unique string) {
	now := strconv.FormatInt(r.ReceivedAt.Unix(), 10)
	r.Body = wire.Edit(r.Body, func(at jsontext.Pointer, _ jsontext.Token) string {
		switch at.LastToken() {
		case "MessageID":
			return wire.Quote(unique)
		case "Message-ID":
			return wire.Quote("<" + unique + "@example.com>")
		case "time":
			return now
		default:
			return ""
		}
	})
}

// Package postmark makes the requests that Postmark would send.
package postmark

import (
	"embed"
	"io/fs"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

//go:embed samples/*.http settings.json
var files embed.FS

// Files returns the samples and the settings that they are sent for.
func Files() fs.FS { return files }

// Sign does nothing: Postmark signs nothing.
func Sign(_, _ []byte, _ *provider.Request) error { return nil }

// Freshen gives a sample another message id, and the time now where it has one.
func Freshen(r *provider.Request, unique string) {
	now := strconv.Quote(r.ReceivedAt.UTC().Format(time.RFC3339Nano))
	times := []string{"BouncedAt", "DeliveredAt", "ReceivedAt", "ChangedAt"}
	r.Body = wire.Edit(r.Body, func(at jsontext.Pointer, _ jsontext.Token) string {
		switch name := at.LastToken(); {
		case name == "MessageID":
			return wire.Quote(unique)
		case slices.Contains(times, name):
			return now
		default:
			return ""
		}
	})
}

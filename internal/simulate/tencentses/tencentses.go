// Package tencentses makes the requests that Tencent SES would send.
package tencentses

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

// Sign does nothing: nothing that is checked is signed.
func Sign(_, _ []byte, _ *provider.Request) error { return nil }

// Freshen gives a sample another message, and the time now.
func Freshen(r *provider.Request, unique string) {
	seconds := strconv.FormatInt(r.ReceivedAt.Unix(), 10)
	r.Body = wire.Edit(r.Body, func(at jsontext.Pointer, _ jsontext.Token) string {
		switch at.LastToken() {
		case "bulkId", "bulkid":
			return wire.Quote("qcloudses-30-251200670-" + unique)
		case "messageId":
			return wire.Quote(unique + "@example.com")
		case "timestamp", "sentTimestamp":
			return seconds
		default:
			return ""
		}
	})
}

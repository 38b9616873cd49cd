// Package alibabadirectmail makes the requests that EventBridge of Alibaba Cloud would send.
package alibabadirectmail

import (
	"embed"
	"io/fs"
	"strconv"
	"strings"
	"time"

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

// Freshen gives the events of a sample other ids and the time now, which is one of Beijing.
func Freshen(r *provider.Request, unique string) {
	now := r.ReceivedAt.In(time.FixedZone("", 8*60*60))
	r.Body = wire.Edit(r.Body, func(at jsontext.Pointer, _ jsontext.Token) string {
		switch at.LastToken() {
		case "id":
			return wire.Quote(unique + strings.ReplaceAll(string(at), "/", "-"))
		case "msg_id", "message_id":
			return wire.Quote(unique + "@example.com")
		case "env_id":
			return wire.Quote(unique)
		case "time":
			return wire.Quote(now.Format(time.RFC3339))
		case "send_time", "deliver_time", "operate_time":
			return wire.Quote(now.Format("2006-01-02T15:04:05"))
		case "block_time":
			return wire.Quote(strconv.FormatInt(now.Unix(), 10))
		default:
			return ""
		}
	})
}

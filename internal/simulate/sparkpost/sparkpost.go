// Package sparkpost makes the requests that SparkPost would send.
package sparkpost

import (
	"bytes"
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

// Sign does nothing: SparkPost signs nothing.
func Sign(_, _ []byte, _ *provider.Request) error { return nil }

// Freshen gives the events of a sample another id and the time now, and a mail that came in another Message-ID. What tries a webhook
// holds nothing that could be another, so it gets a member beside it.
func Freshen(r *provider.Request, unique string) {
	now := strconv.Quote(strconv.FormatInt(r.ReceivedAt.Unix(), 10))
	isPing := bytes.Contains(r.Body, []byte(`"msys": {}`))
	r.Body = wire.Edit(r.Body, func(at jsontext.Pointer, _ jsontext.Token) string {
		switch name := at.LastToken(); {
		case name == "event_id":
			return wire.Quote(unique)
		case name == "Message-ID":
			return wire.Quote("<" + unique + "@example.com>")
		case name == "timestamp":
			return now
		case at == "/0" && isPing:
			return `"cust":{"id":` + wire.Quote(unique) + `}`
		default:
			return ""
		}
	})
}

// Package brevo makes the requests that Brevo would send.
package brevo

import (
	"embed"
	"io/fs"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

//go:embed samples/*.http settings.json
var files embed.FS

// Files returns the samples and the settings that they are sent for.
func Files() fs.FS { return files }

// Sign does nothing: Brevo signs nothing.
func Sign(_, _ []byte, _ *provider.Request) error { return nil }

// Freshen gives a sample another message, webhook and mail, and the time now where it has one.
func Freshen(r *provider.Request, unique string) {
	seconds := strconv.FormatInt(r.ReceivedAt.Unix(), 10)
	r.Body = wire.Edit(r.Body, func(at jsontext.Pointer, token jsontext.Token) string {
		if token.Kind() == jsontext.KindBeginObject {
			return ""
		}
		switch at.LastToken() {
		case "message-id", "MessageId":
			return wire.Quote("<" + unique + "@smtp-relay.example.com>")
		case "campaign name":
			return wire.Quote("Campaign " + unique)
		case "ts_epoch", "s_epoch":
			return seconds + "001"
		case "ts", "ts_event", "ts_sent":
			return seconds
		case "id":
			return strconv.Itoa(len(unique)) + strings.Map(onlyDigits, unique)
		}
		if at.Parent().LastToken() == "Uuid" {
			return wire.Quote(unique + "-" + token.String())
		}
		return ""
	})
}

// onlyDigits keeps the digits of a text.
func onlyDigits(c rune) rune {
	if c < '0' || c > '9' {
		return -1
	}
	return c
}

// Package microsoftgraph makes the requests that Microsoft Graph would send.
package microsoftgraph

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/microsoftgraph/settings"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

//go:embed samples/*.http settings.json message.json
var files embed.FS

// Files returns the samples and the settings that they are made for.
func Files() fs.FS { return files }

// Sign puts the first clientState into the notifications that have one. Nothing else shows who sends; validation tokens are Microsoft's to
// make.
func Sign(data, _ []byte, r *provider.Request) error {
	s, err := settings.Parse(data)
	if err != nil {
		return fmt.Errorf("microsoftgraph: %w", err)
	}
	state := wire.Quote(string(s.States[0]))
	r.Body = wire.Edit(r.Body, func(at jsontext.Pointer, _ jsontext.Token) string {
		if isMember(at, "clientState") {
			return state
		}
		return ""
	})
	return nil
}

// isMember reports whether a scalar is a member of a notification.
func isMember(at jsontext.Pointer, name string) bool {
	return at.LastToken() == name && path.Dir(string(at.Parent())) == "/value"
}

// Freshen makes the notifications of a sample those of another subscription, and encrypts a message that came in now.
func Freshen(r *provider.Request, unique string) {
	message := sealed(r.ReceivedAt)
	r.Body = wire.Edit(r.Body, func(at jsontext.Pointer, _ jsontext.Token) string {
		switch {
		case isMember(at, "subscriptionId"):
			return wire.Quote(unique)
		case strings.HasSuffix(string(at.Parent()), "/encryptedContent"):
			return message[at.LastToken()]
		default:
			return ""
		}
	})
}

// message returns that of the samples, as if it had come in at a time.
func message(at time.Time) []byte {
	text, _ := files.ReadFile("message.json") // it is embedded
	now := wire.Quote(at.UTC().Format(time.RFC3339))
	return wire.Edit(text, func(at jsontext.Pointer, _ jsontext.Token) string {
		if strings.HasSuffix(string(at), "DateTime") {
			return now
		}
		return ""
	})
}

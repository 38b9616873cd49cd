// Package smtp2go makes the requests that SMTP2GO would send.
package smtp2go

import (
	"bytes"
	"embed"
	"io/fs"
	"net/url"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

//go:embed samples/*.http settings.json
var files embed.FS

// Files returns the samples and the settings that they are sent for.
func Files() fs.FS { return files }

// Sign does nothing: SMTP2GO signs nothing.
func Sign(_, _ []byte, _ *provider.Request) error { return nil }

// Freshen gives a sample another message and the time now.
func Freshen(r *provider.Request, unique string) {
	now := r.ReceivedAt.UTC().Format(time.RFC3339)
	if !bytes.HasPrefix(r.Body, []byte("{")) {
		r.Body = freshenForm(r.Body, unique, now)
		return
	}
	r.Body = wire.Edit(r.Body, func(at jsontext.Pointer, _ jsontext.Token) string {
		switch at {
		case "/email_id", "/message_id":
			return wire.Quote(unique)
		case "/time":
			return wire.Quote(now)
		default:
			return ""
		}
	})
}

// freshenForm does the same with a form, whose fields have no "&" in them.
func freshenForm(body []byte, unique, now string) []byte {
	fields := bytes.Split(body, []byte("&"))
	for i, field := range fields {
		name, _, _ := bytes.Cut(field, []byte("="))
		switch string(name) {
		case "email_id":
			fields[i] = []byte("email_id=" + url.QueryEscape(unique))
		case "time":
			fields[i] = []byte("time=" + url.QueryEscape(now))
		}
	}
	return bytes.Join(fields, []byte("&"))
}

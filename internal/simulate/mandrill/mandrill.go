// Package mandrill makes the requests that Mailchimp Transactional, formerly Mandrill, would send.
package mandrill

import (
	"crypto/sha1"
	"embed"
	"encoding/base64"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/mandrill/settings"
	"github.com/mailvane/mailvane/receiver/provider/wire"
	"github.com/mailvane/mailvane/receiver/signature"
)

//go:embed samples/*.http settings.json
var files embed.FS

// Files returns the samples and the settings that they are signed for.
func Files() fs.FS { return files }

// Sign sets the header that Mandrill would send with the first webhook key and the first public URL.
func Sign(data, _ []byte, r *provider.Request) error {
	s, err := settings.Parse(data)
	if err != nil {
		return fmt.Errorf("mandrill: %w", err)
	}
	fields, err := url.ParseQuery(string(r.Body))
	if err != nil {
		return fmt.Errorf("mandrill: the body is no form: %w", err)
	}
	message := r.URL()
	if len(s.URLs) > 0 {
		message = s.URLs[0]
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		message += name + strings.Join(fields[name], "")
	}
	if r.Header == nil {
		r.Header = http.Header{}
	}
	mac := signature.HMAC(sha1.New, s.Keys[0], []byte(message))
	r.Header.Set("X-Mandrill-Signature", base64.StdEncoding.EncodeToString(mac))
	return nil
}

// messageID is the Message-ID of the samples of mail that came in.
const messageID = "inbound-sample@example.com"

// Freshen gives a sample another message id, and the time now.
func Freshen(r *provider.Request, unique string) {
	fields, err := url.ParseQuery(string(r.Body))
	if err != nil {
		return
	}
	seconds := strconv.FormatInt(r.ReceivedAt.Unix(), 10)
	events := wire.Edit([]byte(fields.Get("mandrill_events")), func(at jsontext.Pointer, token jsontext.Token) string {
		name, depth := at.LastToken(), strings.Count(string(at), "/")
		switch {
		case token.Kind() == jsontext.KindBeginObject:
			return ""
		case name == "ts" && depth == 2:
			return seconds
		case name == "_id":
			return wire.Quote(unique)
		case name == "detail" && depth == 3:
			return wire.Quote(token.String() + " " + unique)
		case strings.Contains(token.String(), messageID):
			return wire.Quote(strings.ReplaceAll(token.String(), messageID, unique+"@example.com"))
		default:
			return ""
		}
	})
	r.Body = []byte("mandrill_events=" + url.QueryEscape(string(events)))
}

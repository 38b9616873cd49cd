package microsoftgraph

import (
	"net/http"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// maxToken is the length, in bytes, of a validation token; those that are seen have some 150.
const maxToken = 2048

// Methods is empty: the handshake is a POST.
func (w *webhook) Methods() []string { return nil }

// Handshake answers the POST without a body by which Graph asks, when a subscription is made, whether somebody is there: with the decoded
// value of "validationToken", as a text that no browser takes for a page. A request with a body is no handshake, whatever its URL says.
func (w *webhook) Handshake(r *provider.Request) (provider.Reply, bool) {
	if r.Method != http.MethodPost || len(wire.Trim(r.Body)) > 0 {
		return provider.Reply{}, false
	}
	query, err := url.ParseQuery(r.Query)
	tokens := query["validationToken"]
	if err != nil || len(tokens) == 0 {
		return provider.Reply{}, false
	}
	if len(tokens) > 1 || !isToken(tokens[0]) {
		return provider.Reply{Status: http.StatusBadRequest}, true
	}
	return provider.Reply{Header: http.Header{"Content-Type": {"text/plain; charset=utf-8"}}, Body: []byte(tokens[0])}, true
}

func isToken(text string) bool {
	return text != "" && len(text) <= maxToken && utf8.ValidString(text) && strings.IndexFunc(text, unicode.IsControl) < 0
}

package nylas

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
)

// maxChallenge is the length, in bytes, of a challenge; those that are seen are shorter than 64.
const maxChallenge = 512

// Methods is empty: the handshake is a GET.
func (w *webhook) Methods() []string { return nil }

// Handshake answers the GET by which Nylas asks, when a destination is made or activated, whether somebody is there. It wants the value
// of "challenge" and no other byte, in an answer that is not chunked.
func (w *webhook) Handshake(r *provider.Request) (provider.Reply, bool) {
	if r.Method != http.MethodGet {
		return provider.Reply{}, false
	}
	query, err := url.ParseQuery(r.Query)
	challenges := query["challenge"]
	if err != nil || len(challenges) == 0 {
		return provider.Reply{}, false
	}
	challenge := challenges[0]
	if len(challenges) > 1 || challenge == "" || len(challenge) > maxChallenge || event.PlainLength(challenge) < len(challenge) {
		return provider.Reply{Status: http.StatusBadRequest}, true
	}
	header := http.Header{"Content-Type": {"text/plain; charset=utf-8"}, "Content-Length": {strconv.Itoa(len(challenge))}}
	return provider.Reply{Header: header, Body: []byte(challenge)}, true
}

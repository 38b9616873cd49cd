package azurecommunicationservices

import (
	"net/http"
	"strings"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// The headers of a handshake of the CloudEvents schema (HTTP 1.1 Web Hooks for Event Delivery, section 4). That which names a URL to call
// is not looked at: nothing is fetched from where a stranger says.
const (
	requestOriginHeader = "WebHook-Request-Origin"
	allowedOriginHeader = "WebHook-Allowed-Origin"
	allowedRateHeader   = "WebHook-Allowed-Rate"
)

// Methods are those of the handshake of the CloudEvents schema.
func (w *webhook) Methods() []string { return []string{http.MethodOptions} }

// Handshake agrees to deliveries in the CloudEvents schema from the origins that are allowed. That of the Event Grid schema is a POST,
// which carries the token where there is one: see Decode.
func (w *webhook) Handshake(r *provider.Request) (provider.Reply, bool) {
	if r.Method != http.MethodOptions {
		return provider.Reply{}, false
	}
	origins := r.Header.Values(requestOriginHeader)
	for _, allowed := range w.origins {
		if len(origins) == 1 && strings.EqualFold(strings.TrimSpace(origins[0]), allowed) {
			return provider.Reply{Header: http.Header{
				http.CanonicalHeaderKey(allowedOriginHeader): {allowed},
				http.CanonicalHeaderKey(allowedRateHeader):   {"*"},
				"Allow": {http.MethodPost},
			}}, true
		}
	}
	return provider.Reply{Status: http.StatusMethodNotAllowed, Header: http.Header{"Allow": {http.MethodPost}}}, true
}

// maxValidationCode is the length, in bytes, of a validation code; those that are seen are UUIDs.
const maxValidationCode = 128

// validation answers a request that asks, in the Event Grid schema, whether its events are wanted. Its validationUrl, which a person may
// open in place of the answer, is not fetched, and nothing of it is kept.
func validation(d wire.Object) (*provider.Reply, bool) {
	code := d.Text("validationCode")
	if code == "" || len(code) > maxValidationCode || event.PlainLength(code) < len(code) {
		return nil, false
	}
	return &provider.Reply{
		Header: http.Header{"Content-Type": {"application/json"}},
		Body:   []byte(`{"validationResponse":` + wire.Quote(code) + `}`),
	}, true
}

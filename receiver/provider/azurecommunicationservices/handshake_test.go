package azurecommunicationservices_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/provider"
)

// TestOptions has the handshake of the CloudEvents schema.
func TestOptions(t *testing.T) {
	t.Parallel()
	agreed := provider.Reply{Header: http.Header{"Webhook-Allowed-Origin": {"eventgrid.azure.net"}, "Webhook-Allowed-Rate": {"*"}, "Allow": {"POST"}}}
	refused := provider.Reply{Status: http.StatusMethodNotAllowed, Header: http.Header{"Allow": {"POST"}}}
	for name, c := range map[string]struct {
		settings string
		origins  []string
		want     provider.Reply
	}{
		"Event Grid":            {`{}`, []string{"eventgrid.azure.net"}, agreed},
		"in another case":       {`{}`, []string{"EventGrid.Azure.NET"}, agreed},
		"a stranger":            {`{}`, []string{"evil.example"}, refused},
		"a stranger's domain":   {`{}`, []string{"eventgrid.azure.net.evil.example"}, refused},
		"any":                   {`{}`, []string{"*"}, refused},
		"two":                   {`{}`, []string{"eventgrid.azure.net", "evil.example"}, refused},
		"none":                  {`{}`, nil, refused},
		"another cloud":         {`{"allowedOrigins": ["eventgrid.azure.us"]}`, []string{"eventgrid.azure.us"}, provider.Reply{Header: http.Header{"Webhook-Allowed-Origin": {"eventgrid.azure.us"}, "Webhook-Allowed-Rate": {"*"}, "Allow": {"POST"}}}},
		"the default no more":   {`{"allowedOrigins": ["eventgrid.azure.us"]}`, []string{"eventgrid.azure.net"}, refused},
		"a subscription's name": {`{"subscriptionNames": ["mailvane"]}`, []string{"eventgrid.azure.net"}, agreed},
	} {
		h := http.Header{"Webhook-Request-Origin": c.origins, "Webhook-Request-Rate": {"120"}, "Webhook-Request-Callback": {"https://evil.example/"}}
		reply, ok := webhook(t, c.settings).(provider.Handshaker).Handshake(&provider.Request{Method: http.MethodOptions, Header: h})
		if diff := cmp.Diff(c.want, reply); diff != "" || !ok {
			t.Errorf("%s: %v, -want +got:\n%s", name, ok, diff)
		}
	}
	for _, method := range []string{http.MethodPost, http.MethodGet, http.MethodHead} {
		h := http.Header{"Webhook-Request-Origin": {"eventgrid.azure.net"}}
		if _, ok := webhook(t, `{}`).(provider.Handshaker).Handshake(&provider.Request{Method: method, Header: h, Body: []byte(validation)}); ok {
			t.Errorf("%s is a handshake, without a look at who asks", method)
		}
	}
}

const validation = `[{"id":"1","topic":"/x","eventType":"Microsoft.EventGrid.SubscriptionValidationEvent","data":{"validationCode":"512d38b6","validationUrl":"https://rp-eastus2.eventgrid.azure.net:553/validate?token=SECRETTOKEN"}}]`

// TestValidation has the handshake of the Event Grid schema. Whether it is answered or not, nothing is fetched, and nothing of the URL with
// its token is kept.
func TestValidation(t *testing.T) {
	t.Parallel()
	single := strings.Trim(validation, "[]")
	for name, c := range map[string]struct {
		body            string
		reply           string
		events, refused int
	}{
		"asked":                 {validation, `{"validationResponse":"512d38b6"}`, 0, 0},
		"by one object":         {single, `{"validationResponse":"512d38b6"}`, 0, 0},
		"in another case":       {strings.Replace(validation, "SubscriptionValidationEvent", "subscriptionvalidationevent", 1), `{"validationResponse":"512d38b6"}`, 0, 0},
		"no code":               {strings.Replace(validation, "512d38b6", "", 1), "", 0, 1},
		"a code of another use": {strings.Replace(validation, "512d38b6", strings.Repeat("x", 129), 1), "", 0, 1},
		"a code with quotes":    {strings.Replace(validation, "512d38b6", `\"}<script>`, 1), "", 0, 1},
		"two codes":             {strings.Replace(validation, `"validationUrl"`, `"validationCode":"2","validationUrl"`, 1), "", 0, 1},
		"beside an event":       {"[" + single + `,{"id":"2","type":"a"}]`, "", 1, 1},
		"twice":                 {"[" + single + "," + single + "]", "", 0, 2},
		"another event's code":  {strings.Replace(validation, "SubscriptionValidationEvent", "Other", 1), "", 1, 0},
	} {
		b := decode(t, c.body)
		reply := ""
		if b.Reply != nil {
			reply = string(b.Reply.Body)
			if b.Reply.Status != 0 || b.Reply.Header.Get("Content-Type") != "application/json" {
				t.Errorf("%s: answered %+v; Event Grid takes 200 alone", name, b.Reply)
			}
		}
		if reply != c.reply || len(b.Events) != c.events || b.Refused != c.refused || len(b.Undecodable) > 0 || len(b.Confirm) > 0 {
			t.Errorf("%s: %+v", name, b)
		}
	}
}

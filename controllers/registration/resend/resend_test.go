package resend_test

import (
	"net/http"
	"testing"

	"github.com/mailvane/mailvane/controllers/registration/registrationtest"
	"github.com/mailvane/mailvane/controllers/registration/resend"
	"github.com/mailvane/mailvane/controllers/registration/standin"
)

// newAccount is one as https://resend.com/docs/api-reference/webhooks tells it.
func newAccount() standin.Provider {
	shown := func(h *standin.Hook) map[string]any {
		status := "enabled"
		if h.Disabled {
			status = "disabled"
		}
		return map[string]any{"object": "webhook", "id": h.ID, "endpoint": h.URL, "events": h.Events, "status": status}
	}
	secret := func(h *standin.Hook) any {
		all := shown(h)
		all["signing_secret"] = h.Key
		return all
	}
	return standin.NewCollection(&standin.Collection{
		Path: "/webhooks", Method: http.MethodPatch,
		List: func(all []standin.Hook) any {
			data := []any{}
			for i := range all {
				data = append(data, shown(&all[i]))
			}
			return map[string]any{"object": "list", "has_more": false, "data": data}
		},
		Made: func(h *standin.Hook) any {
			return map[string]any{"object": "webhook", "id": h.ID, "signing_secret": h.Key}
		},
		One: secret,
		Read: func(body []byte, h *standin.Hook) string {
			var said struct {
				Endpoint string
				Events   []string
				Status   string
			}
			refusal := standin.Decode(body, &said)
			if len(said.Events) == 0 {
				refusal = "Missing `events` field."
			}
			h.URL, h.Events, h.Disabled = said.Endpoint, said.Events, said.Status == "disabled"
			return refusal
		},
		Key: func(id string) string { return "whsec_" + id },
	}, "Authorization", "Bearer "+standin.APIKey, func(status int, words string) any {
		return map[string]any{"statusCode": status, "name": "an_error", "message": words}
	})
}

func TestSuite(t *testing.T) {
	t.Parallel()
	registrationtest.Run(t, &registrationtest.Case{
		Vendor: resend.Vendor(), New: newAccount, TellsKey: true,
		Events: []string{"email.bounced", "email.complained"}, OtherEvents: []string{"email.sent"},
	})
}

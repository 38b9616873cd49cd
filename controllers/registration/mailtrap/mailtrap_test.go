package mailtrap_test

import (
	"net/http"
	"testing"

	"github.com/mailvane/mailvane/controllers/registration/mailtrap"
	"github.com/mailvane/mailvane/controllers/registration/registrationtest"
	"github.com/mailvane/mailvane/controllers/registration/standin"
)

// newAccount is one as Mailtrap's API reference tells it. The signing secret is told once.
func newAccount() standin.Provider {
	shown := func(h *standin.Hook) map[string]any {
		return map[string]any{"id": standin.Number(h.ID), "url": h.URL, "event_types": h.Events, "active": !h.Disabled, "webhook_type": "email_sending"}
	}
	c := standin.NewCollection(&standin.Collection{
		Path: "/accounts/42/webhooks", Method: http.MethodPatch,
		List: func(all []standin.Hook) any {
			data := []any{}
			for i := range all {
				data = append(data, shown(&all[i]))
			}
			return map[string]any{"data": data}
		},
		Made: func(h *standin.Hook) any {
			all := shown(h)
			all["signing_secret"] = h.Key
			return map[string]any{"data": all}
		},
		Read: func(body []byte, h *standin.Hook) string {
			var said struct {
				Webhook struct {
					URL    string
					Events []string `json:"event_types"`
					Active bool
				}
			}
			refusal := standin.Decode(body, &said)
			h.URL, h.Events, h.Disabled = said.Webhook.URL, said.Webhook.Events, !said.Webhook.Active
			return refusal
		},
		Key: func(id string) string { return "secret-" + id },
	}, "Authorization", "Bearer "+standin.APIKey, func(_ int, words string) any { return map[string]any{"error": words} })
	c.Account = "42"
	return c
}

func TestSuite(t *testing.T) {
	t.Parallel()
	registrationtest.Run(t, &registrationtest.Case{
		Vendor: mailtrap.Vendor(), New: newAccount, TellsKey: true, Events: []string{"delivery", "bounce"}, OtherEvents: []string{"open"},
	})
}

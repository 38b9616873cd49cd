package mailersend_test

import (
	"net/http"
	"testing"

	"github.com/mailvane/mailvane/controllers/registration/mailersend"
	"github.com/mailvane/mailvane/controllers/registration/registrationtest"
	"github.com/mailvane/mailvane/controllers/registration/standin"
)

// newAccount is one as https://developers.mailersend.com/api/v1/account/webhooks.html tells it.
func newAccount() standin.Provider {
	shown := func(h *standin.Hook) map[string]any {
		return map[string]any{"id": h.ID, "url": h.URL, "events": h.Events, "enabled": !h.Disabled, "secret": h.Key}
	}
	c := standin.NewCollection(&standin.Collection{
		Path: "/webhooks", Method: http.MethodPut,
		List: func(all []standin.Hook) any {
			data := []any{}
			for i := range all {
				data = append(data, shown(&all[i]))
			}
			return map[string]any{"data": data}
		},
		Made: func(h *standin.Hook) any { return map[string]any{"data": shown(h)} },
		One:  func(h *standin.Hook) any { return map[string]any{"data": shown(h)} },
		Read: func(body []byte, h *standin.Hook) string {
			var said struct {
				URL, Name string
				Events    []string
				Enabled   bool
			}
			refusal := standin.Decode(body, &said)
			if said.Name == "" || len(said.Name) > 50 {
				refusal = "The name must not be greater than 50 characters."
			}
			h.URL, h.Events, h.Disabled = said.URL, said.Events, !said.Enabled
			return refusal
		},
		Key: func(id string) string { return "secret-" + id },
	}, "Authorization", "Bearer "+standin.APIKey, standin.Message)
	c.Account = "domain-1"
	c.More = func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
		if r.URL.Query().Get("domain_id") == "domain-1" {
			return false
		}
		c.Refuse(w, http.StatusUnprocessableEntity, "The domain id is required.")
		return true
	}
	return c
}

func TestSuite(t *testing.T) {
	t.Parallel()
	registrationtest.Run(t, &registrationtest.Case{
		Vendor: mailersend.Vendor(), New: newAccount, TellsKey: true,
		Events: []string{"activity.delivered", "activity.opened"}, OtherEvents: []string{"activity.sent"},
	})
}

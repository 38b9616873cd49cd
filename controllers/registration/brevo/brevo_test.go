package brevo_test

import (
	"net/http"
	"testing"

	"github.com/mailvane/mailvane/controllers/registration/brevo"
	"github.com/mailvane/mailvane/controllers/registration/registrationtest"
	"github.com/mailvane/mailvane/controllers/registration/standin"
)

// newAccount is one as https://developers.brevo.com/reference/createwebhook tells it. Without webhooks, their list is not found.
func newAccount() standin.Provider {
	c := &standin.Collection{
		Path: "/webhooks", Method: http.MethodPut, AlwaysOn: true,
		List: func(all []standin.Hook) any {
			list := []any{}
			for _, h := range all {
				list = append(list, map[string]any{"id": standin.Number(h.ID), "url": h.URL, "events": h.Events, "type": "transactional"})
			}
			return map[string]any{"webhooks": list}
		},
		Made: func(h *standin.Hook) any { return map[string]any{"id": standin.Number(h.ID)} },
		Read: func(body []byte, h *standin.Hook) string {
			var said struct {
				URL     string
				Events  []string
				Headers []struct{ Key, Value string }
			}
			refusal := standin.Decode(body, &said)
			h.URL, h.Events = said.URL, said.Events
			for _, header := range said.Headers {
				h.Header, h.HeaderValue = header.Key, header.Value
			}
			return refusal
		},
	}
	c.More = func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
		if r.Method == http.MethodGet && len(c.Hooks()) == 0 {
			standin.WriteJSON(w, http.StatusNotFound, map[string]string{"code": "document_not_found", "message": "Webhook record(s) not found"})
			return true
		}
		return false
	}
	return standin.NewCollection(c, "Api-Key", standin.APIKey, func(_ int, words string) any {
		return map[string]string{"code": "invalid_parameter", "message": words}
	})
}

func TestSuite(t *testing.T) {
	t.Parallel()
	registrationtest.Run(t, &registrationtest.Case{
		Vendor: brevo.Vendor(), New: newAccount, Header: true, Events: []string{"hardBounce", "delivered"}, OtherEvents: []string{"opened"},
	})
}

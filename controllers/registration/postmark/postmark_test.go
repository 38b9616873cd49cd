package postmark_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/mailvane/mailvane/controllers/registration"
	"github.com/mailvane/mailvane/controllers/registration/postmark"
	"github.com/mailvane/mailvane/controllers/registration/registrationtest"
	"github.com/mailvane/mailvane/controllers/registration/standin"
)

// newAccount is a server as https://postmarkapp.com/developer/api/webhooks-api tells it.
func newAccount() standin.Provider {
	type flag struct{ Enabled bool }
	shown := func(h *standin.Hook) map[string]any {
		triggers := map[string]flag{}
		for _, name := range postmark.Vendor().Events {
			triggers[name] = flag{slices.Contains(h.Events, name)}
		}
		return map[string]any{"ID": standin.Number(h.ID), "Url": h.URL, "MessageStream": "outbound", "Triggers": triggers}
	}
	return standin.NewCollection(&standin.Collection{
		Path: "/webhooks", Method: http.MethodPut, AlwaysOn: true,
		List: func(all []standin.Hook) any {
			list := []any{}
			for i := range all {
				list = append(list, shown(&all[i]))
			}
			return map[string]any{"Webhooks": list}
		},
		Made: func(h *standin.Hook) any { return shown(h) },
		Read: func(body []byte, h *standin.Hook) string {
			var said struct {
				URL         string `json:"Url"`
				HTTPAuth    struct{ Username, Password string }
				HTTPHeaders []struct{ Name, Value string }
				Triggers    map[string]flag
			}
			refusal := standin.Decode(body, &said)
			h.URL, h.Username, h.Password, h.Events = said.URL, said.HTTPAuth.Username, said.HTTPAuth.Password, nil
			for _, header := range said.HTTPHeaders {
				h.Header, h.HeaderValue = header.Name, header.Value
			}
			for name, trigger := range said.Triggers {
				if trigger.Enabled {
					h.Events = append(h.Events, name)
				}
			}
			slices.Sort(h.Events)
			return refusal
		},
	}, "X-Postmark-Server-Token", standin.APIKey, func(_ int, words string) any {
		return map[string]any{"ErrorCode": 10, "Message": words}
	})
}

func TestSuite(t *testing.T) {
	t.Parallel()
	registrationtest.Run(t, &registrationtest.Case{
		Vendor: postmark.Vendor(), New: newAccount, Basic: true, Header: true, Events: []string{"Bounce", "Delivery"}, OtherEvents: []string{"Open"},
	})
}

// TestAnUnknownTrigger would be left out in silence.
func TestAnUnknownTrigger(t *testing.T) {
	t.Parallel()
	v := postmark.Vendor()
	api := registrationtest.Open(t, &v, newAccount().Server(), standin.APIKey)
	if _, err := api.Create(t.Context(), registration.Wanted{Events: []string{"bounce"}}); !registration.IsKind(err, registration.Refused) {
		t.Errorf("got %v", err)
	}
}

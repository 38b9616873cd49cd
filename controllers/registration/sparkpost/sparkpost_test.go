package sparkpost_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/mailvane/mailvane/controllers/registration"
	"github.com/mailvane/mailvane/controllers/registration/registrationtest"
	"github.com/mailvane/mailvane/controllers/registration/sparkpost"
	"github.com/mailvane/mailvane/controllers/registration/standin"
)

// newAccount is one as https://developers.sparkpost.com/api/webhooks/ tells it.
func newAccount() *standin.Collection {
	return standin.NewCollection(&standin.Collection{
		Path: "/webhooks", Method: http.MethodPut,
		List: func(all []standin.Hook) any {
			list := []any{}
			for _, h := range all {
				list = append(list, map[string]any{"id": h.ID, "target": h.URL, "events": h.Events, "active": !h.Disabled})
			}
			return map[string]any{"results": list}
		},
		Made: func(h *standin.Hook) any { return map[string]any{"results": map[string]any{"id": h.ID}} },
		Read: func(body []byte, h *standin.Hook) string {
			var said struct {
				Target      string
				Events      []string
				Active      bool
				AuthType    string                              `json:"auth_type"`
				Credentials struct{ Username, Password string } `json:"auth_credentials"`
				Headers     map[string]string                   `json:"custom_headers"`
			}
			refusal := standin.Decode(body, &said)
			h.URL, h.Events, h.Disabled = said.Target, said.Events, !said.Active
			if said.AuthType == "basic" {
				h.Username, h.Password = said.Credentials.Username, said.Credentials.Password
			}
			for name, value := range said.Headers {
				h.Header, h.HeaderValue = name, value
			}
			return refusal
		},
	}, "Authorization", standin.APIKey, func(_ int, words string) any {
		return map[string]any{"errors": []any{map[string]string{"message": "invalid params", "description": words}}}
	})
}

func TestSuite(t *testing.T) {
	t.Parallel()
	registrationtest.Run(t, &registrationtest.Case{
		Vendor: sparkpost.Vendor(), New: func() standin.Provider { return newAccount() }, Basic: true, Header: true,
		Events: []string{"bounce", "delivery"}, OtherEvents: []string{"open"},
	})
}

// TestAValidation is asked for of the webhook, and tells what it was answered with.
func TestAValidation(t *testing.T) {
	t.Parallel()
	account := newAccount()
	passes := true
	account.More = func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
		if r.Method+" "+r.URL.Path != "POST /webhooks/7/validate" {
			return false
		}
		if passes {
			standin.WriteJSON(w, http.StatusOK, map[string]any{"results": map[string]any{"msg": "Test POST to endpoint succeeded"}})
		} else {
			account.Refuse(w, http.StatusBadRequest, "POST to endpoint failed: 401")
		}
		return true
	}
	v := sparkpost.Vendor()
	tester, ok := registrationtest.Open(t, &v, account.StandIn, standin.APIKey).(registration.Tester)
	if !ok {
		t.Fatal("it cannot be asked")
	}
	if test, err := tester.Test(t.Context(), registration.Webhook{ID: "7"}); err != nil || !test.Passed {
		t.Errorf("got %+v, %v", test, err)
	}
	passes = false
	if test, err := tester.Test(t.Context(), registration.Webhook{ID: "7"}); err == nil || test.Passed || !strings.Contains(err.Error(), "failed: 401") {
		t.Errorf("got %+v, %v", test, err)
	}
}

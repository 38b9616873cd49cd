package sendgrid_test

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/mailvane/mailvane/controllers/registration"
	"github.com/mailvane/mailvane/controllers/registration/registrationtest"
	"github.com/mailvane/mailvane/controllers/registration/sendgrid"
	"github.com/mailvane/mailvane/controllers/registration/standin"
)

const settings = "/v3/user/webhooks/event/settings"

// newAccount is one as https://www.twilio.com/docs/sendgrid/api-reference/webhooks tells it: a webhook has a key from when it is told to sign.
func newAccount() standin.Provider {
	signs := map[string]bool{}
	c := &standin.Collection{Path: settings, ListPath: settings + "/all", Method: http.MethodPatch, Key: func(id string) string { return "key-" + id }}
	shown := func(h *standin.Hook) map[string]any {
		all := map[string]any{"id": h.ID, "url": h.URL, "enabled": !h.Disabled, "friendly_name": "x"}
		for _, name := range sendgrid.Vendor().Events {
			all[name] = slices.Contains(h.Events, name)
		}
		return all
	}
	c.List = func(all []standin.Hook) any {
		list := []any{}
		for i := range all {
			list = append(list, shown(&all[i]))
		}
		return map[string]any{"max_allowed": 5, "webhooks": list}
	}
	c.Made = func(h *standin.Hook) any { return shown(h) }
	c.Read = func(body []byte, h *standin.Hook) string {
		var said map[string]any
		refusal := standin.Decode(body, &said)
		h.URL, _ = said["url"].(string)
		enabled, _ := said["enabled"].(bool)
		h.Disabled, h.Events = !enabled, nil
		for _, name := range sendgrid.Vendor().Events {
			if on, _ := said[name].(bool); on {
				h.Events = append(h.Events, name)
			}
		}
		return refusal
	}
	c.More = func(w http.ResponseWriter, r *http.Request, body []byte) bool {
		id, isKey := strings.CutPrefix(r.URL.Path, settings+"/signed/")
		if !isKey {
			return false
		}
		var said struct{ Enabled bool }
		_ = json.Unmarshal(body, &said)
		signs[id] = signs[id] || said.Enabled
		key := ""
		if signs[id] {
			key = c.Key(id)
		}
		standin.WriteJSON(w, http.StatusOK, map[string]string{"id": id, "public_key": key})
		return true
	}
	return standin.NewCollection(c, "Authorization", "Bearer "+standin.APIKey, func(_ int, words string) any {
		return map[string]any{"errors": []any{map[string]any{"message": words, "field": nil}}}
	})
}

func TestSuite(t *testing.T) {
	t.Parallel()
	registrationtest.Run(t, &registrationtest.Case{
		Vendor: sendgrid.Vendor(), New: newAccount, TellsKey: true, Events: []string{"bounce", "delivered"}, OtherEvents: []string{"open"},
	})
}

// TestAnUnknownAction would be left out in silence.
func TestAnUnknownAction(t *testing.T) {
	t.Parallel()
	v := sendgrid.Vendor()
	api := registrationtest.Open(t, &v, newAccount().Server(), standin.APIKey)
	_, err := api.Create(t.Context(), registration.Wanted{Events: []string{"bounced"}})
	if !registration.IsKind(err, registration.Refused) || !strings.Contains(err.Error(), "spam_report") {
		t.Errorf("got %v", err)
	}
}

// TestThePlaceholder is a key as SendGrid's are, another one each time.
func TestThePlaceholder(t *testing.T) {
	t.Parallel()
	v := sendgrid.Vendor()
	first, err := v.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	second, _ := v.NewKey()
	der, err := base64.StdEncoding.DecodeString(first)
	if err != nil || first == second {
		t.Errorf("got %s and %s, %v", first, second, err)
	}
	if _, err := x509.ParsePKIXPublicKey(der); err != nil {
		t.Error(err)
	}
}

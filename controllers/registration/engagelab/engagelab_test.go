package engagelab_test

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"testing"

	"github.com/mailvane/mailvane/controllers/registration"
	"github.com/mailvane/mailvane/controllers/registration/engagelab"
	"github.com/mailvane/mailvane/controllers/registration/registrationtest"
	"github.com/mailvane/mailvane/controllers/registration/standin"
)

// newAccount is one as https://www.engagelab.com/docs/email/rest-api/WebHooks tells it. Events are numbers, and pages are asked for by offset and limit.
func newAccount() standin.Provider {
	basic := base64.StdEncoding.EncodeToString([]byte("api_user:" + standin.APIKey))
	c := &standin.Collection{
		Path: "/webhooks", AlwaysOn: true,
		List: func(all []standin.Hook) any { return page(all, 0, 100) },
		Made: func(h *standin.Hook) any { return map[string]any{"id": standin.Number(h.ID)} },
		Read: func(body []byte, h *standin.Hook) string {
			var said struct {
				URL   string
				Event []int
			}
			refusal := standin.Decode(body, &said)
			h.URL, h.Events = said.URL, nil
			for _, event := range said.Event {
				h.Events = append(h.Events, strconv.Itoa(event))
			}
			return refusal
		},
	}
	c.More = func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
		if r.Method != http.MethodGet {
			return false
		}
		offset, _ := strconv.Atoi(r.URL.Query().Get("offset"))
		limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
		standin.WriteJSON(w, http.StatusOK, page(c.Hooks(), offset, limit))
		return true
	}
	standin.NewCollection(c, "Authorization", "Basic "+basic, standin.Message)
	c.Account = "api_user"
	return c
}

func page(all []standin.Hook, offset, limit int) any {
	result := []any{}
	for i := offset; i < min(len(all), offset+limit); i++ {
		events := []int{}
		for _, event := range all[i].Events {
			number, _ := strconv.Atoi(event)
			events = append(events, number)
		}
		result = append(result, map[string]any{"id": standin.Number(all[i].ID), "url": all[i].URL, "event": events, "api_user": "api_user"})
	}
	return map[string]any{"result": result, "count": len(result), "total": len(all)}
}

func TestSuite(t *testing.T) {
	t.Parallel()
	registrationtest.Run(t, &registrationtest.Case{Vendor: engagelab.Vendor(), New: newAccount})
}

// TestManyWebhooks finds one on a later page, and makes none beside it.
func TestManyWebhooks(t *testing.T) {
	t.Parallel()
	v := engagelab.Vendor()
	account := newAccount()
	for i := range 250 {
		account.Put(standin.Hook{URL: "https://other.example.com/" + strconv.Itoa(i), Events: []string{"1"}})
	}
	account.Put(standin.Hook{URL: registrationtest.URL, Events: v.Events})
	keeper := registration.Keeper{API: registrationtest.Open(t, &v, account.Server(), standin.APIKey)}
	out, err := keeper.Ensure(t.Context(), registration.Wanted{URL: registrationtest.URL, Events: v.Events}, &registration.Known{})
	if err != nil || out.Changed || len(account.Hooks()) != 251 {
		t.Errorf("got %+v, %v, has %d", out, err, len(account.Hooks()))
	}
}

// TestEventsAreNumbers says so.
func TestEventsAreNumbers(t *testing.T) {
	t.Parallel()
	v := engagelab.Vendor()
	api := registrationtest.Open(t, &v, newAccount().Server(), standin.APIKey)
	if _, err := api.Create(t.Context(), registration.Wanted{Events: []string{"delivered"}}); !registration.IsKind(err, registration.Refused) {
		t.Errorf("got %v", err)
	}
}

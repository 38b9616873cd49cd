package mandrill_test

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/mailvane/mailvane/controllers/registration"
	"github.com/mailvane/mailvane/controllers/registration/mandrill"
	"github.com/mailvane/mailvane/controllers/registration/registrationtest"
	"github.com/mailvane/mailvane/controllers/registration/standin"
)

// account is one as https://mailchimp.com/developer/transactional/api/webhooks/ tells it: all by POST, the key in the body, and 500 with a name for whatever is wrong.
type account struct {
	*standin.StandIn
	hooks []standin.Hook
	made  int64
	// late says that the URL is not answered in time when Mandrill asks it.
	late bool
}

type said struct {
	Key    string
	ID     int64
	URL    string
	Events []string
}

func newAccount() *account {
	a := &account{}
	a.StandIn = &standin.StandIn{
		Authorized: func(*http.Request) bool { return true }, // the key is in the body
		Refuse:     func(w http.ResponseWriter, status int, words string) { a.fail(w, status, "GeneralError", words) },
		Serve:      a.serve,
	}
	return a
}

func (a *account) fail(w http.ResponseWriter, status int, name, words string) {
	standin.WriteJSON(w, status, map[string]any{"status": "error", "code": -1, "name": name, "message": words})
}

func shown(h *standin.Hook) map[string]any {
	return map[string]any{"id": standin.Number(h.ID), "url": h.URL, "description": "x", "auth_key": h.Key, "events": h.Events, "last_error": ""}
}

func (a *account) serve(w http.ResponseWriter, r *http.Request, body []byte) {
	var s said
	_ = json.Unmarshal(body, &s)
	method := strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/webhooks/"), ".json")
	if s.Key != standin.APIKey && len(body) > 2 {
		a.fail(w, http.StatusInternalServerError, "Invalid_Key", "Invalid API key "+s.Key)
		return
	}
	switch method {
	case "list":
		all := []any{}
		for i := range a.hooks {
			all = append(all, shown(&a.hooks[i]))
		}
		standin.WriteJSON(w, http.StatusOK, all)
	case "add":
		if a.late {
			a.fail(w, http.StatusInternalServerError, "ValidationError", "The URL "+s.URL+" did not answer in time")
			return
		}
		a.Put(standin.Hook{URL: s.URL, Events: s.Events})
		standin.WriteJSON(w, http.StatusOK, shown(&a.hooks[len(a.hooks)-1]))
	default:
		a.one(w, method, &s)
	}
}

func (a *account) one(w http.ResponseWriter, method string, s *said) {
	for i := range a.hooks {
		if standin.Number(a.hooks[i].ID) != s.ID {
			continue
		}
		h := a.hooks[i]
		if method == "delete" {
			a.hooks = append(a.hooks[:i:i], a.hooks[i+1:]...)
		} else {
			h.URL, h.Events = s.URL, s.Events
			a.hooks[i] = h
		}
		standin.WriteJSON(w, http.StatusOK, shown(&h))
		return
	}
	a.fail(w, http.StatusInternalServerError, "Unknown_Webhook", "No webhook exists with that id")
}

func (a *account) Server() *standin.StandIn { return a.StandIn }

func (a *account) Hooks() []standin.Hook { return a.hooks }

func (a *account) Put(h standin.Hook) {
	a.made++
	h.ID = strconv.FormatInt(a.made, 10)
	h.Key, h.Disabled = "key-"+h.ID, false
	a.hooks = append(a.hooks, h)
}

func TestSuite(t *testing.T) {
	t.Parallel()
	registrationtest.Run(t, &registrationtest.Case{
		Vendor: mandrill.Vendor(), New: func() standin.Provider { return newAccount() }, TellsKey: true,
		Events: []string{"hard_bounce", "spam"}, OtherEvents: []string{"open"}, Reads: []string{"POST /webhooks/list.json"},
	})
}

// TestAURLThatIsAnsweredTooLate is refused, in Mandrill's words and without the token in the URL.
func TestAURLThatIsAnsweredTooLate(t *testing.T) {
	t.Parallel()
	v := mandrill.Vendor()
	a := newAccount()
	a.late = true
	keeper := registration.Keeper{API: registrationtest.Open(t, &v, a.StandIn, standin.APIKey, registrationtest.URL)}
	_, err := keeper.Ensure(t.Context(), registration.Wanted{URL: registrationtest.URL}, &registration.Known{})
	if !registration.IsKind(err, registration.Refused) || !strings.Contains(err.Error(), "did not answer in time") || strings.Contains(err.Error(), "0123456789abcdef0123") {
		t.Errorf("got %v", err)
	}
	a.late = false
	if _, err := keeper.Ensure(t.Context(), registration.Wanted{URL: registrationtest.URL}, &registration.Known{}); err != nil {
		t.Error(err)
	}
}

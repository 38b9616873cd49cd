package mailjet_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mailvane/mailvane/controllers/registration"
	"github.com/mailvane/mailvane/controllers/registration/mailjet"
	"github.com/mailvane/mailvane/controllers/registration/registrationtest"
	"github.com/mailvane/mailvane/controllers/registration/standin"
)

// callback is one as https://dev.mailjet.com/email/reference/webhook/ tells it.
type callback struct {
	ID        int64
	EventType string
	URL       string `json:"Url"`
	Status    string
	Version   int
	IsBackup  bool
}

// account has one URL for each kind of event, and a backup.
type account struct {
	*standin.StandIn
	callbacks []callback
	made      int64
}

func newAccount() *account {
	a := &account{}
	basic := base64.StdEncoding.EncodeToString([]byte("public:" + standin.APIKey))
	a.StandIn = &standin.StandIn{
		Account:    "public",
		Authorized: func(r *http.Request) bool { return r.Header.Get("Authorization") == "Basic "+basic },
		Refuse: func(w http.ResponseWriter, status int, words string) {
			standin.WriteJSON(w, status, map[string]any{"ErrorInfo": "", "ErrorMessage": words, "StatusCode": status})
		},
		Serve: a.serve,
	}
	return a
}

func (a *account) serve(w http.ResponseWriter, r *http.Request, body []byte) {
	const path = "/eventcallbackurl"
	var said callback
	_ = json.Unmarshal(body, &said)
	switch {
	case r.Method == http.MethodGet:
		limit, _ := strconv.Atoi(r.URL.Query().Get("Limit"))
		if limit == 0 {
			limit = 10
		}
		data := append([]callback{}, a.callbacks[:min(limit, len(a.callbacks))]...)
		standin.WriteJSON(w, http.StatusOK, map[string]any{"Count": len(data), "Data": data, "Total": len(data)})
	case r.Method == http.MethodPost && r.URL.Path == path:
		if slices.ContainsFunc(a.callbacks, func(c callback) bool { return c.EventType == said.EventType && !c.IsBackup }) {
			a.Refuse(w, http.StatusBadRequest, "A callback url already exists for this event type")
			return
		}
		a.made++
		said.ID = a.made
		a.callbacks = append(a.callbacks, said)
		standin.WriteJSON(w, http.StatusCreated, map[string]any{"Count": 1, "Data": []callback{said}})
	default:
		a.one(w, r, strings.TrimPrefix(r.URL.Path, path+"/"), &said)
	}
}

func (a *account) one(w http.ResponseWriter, r *http.Request, id string, said *callback) {
	for i := range a.callbacks {
		if strconv.FormatInt(a.callbacks[i].ID, 10) != id {
			continue
		}
		if r.Method == http.MethodDelete {
			a.callbacks = append(a.callbacks[:i:i], a.callbacks[i+1:]...)
			w.WriteHeader(http.StatusNoContent)
			return
		}
		a.callbacks[i].URL, a.callbacks[i].Status, a.callbacks[i].Version = said.URL, said.Status, said.Version
		standin.WriteJSON(w, http.StatusOK, map[string]any{"Count": 1, "Data": []callback{a.callbacks[i]}})
		return
	}
	a.Refuse(w, http.StatusNotFound, "Object not found")
}

func (a *account) Server() *standin.StandIn { return a.StandIn }

func (a *account) Hooks() []standin.Hook {
	var hooks []standin.Hook
	for _, c := range a.callbacks {
		if c.IsBackup {
			continue
		}
		i := slices.IndexFunc(hooks, func(h standin.Hook) bool { return h.URL == c.URL })
		if i < 0 {
			i, hooks = len(hooks), append(hooks, standin.Hook{URL: c.URL})
		}
		hooks[i].Events = append(hooks[i].Events, c.EventType)
		hooks[i].Disabled = hooks[i].Disabled || c.Status != "alive"
	}
	return hooks
}

func (a *account) Put(h standin.Hook) {
	for _, event := range h.Events {
		a.made++
		c := callback{ID: a.made, EventType: event, URL: h.URL, Status: "alive", Version: 2}
		if h.Disabled {
			c.Status = "dead"
		}
		a.callbacks = append(a.callbacks, c)
	}
}

func TestSuite(t *testing.T) {
	t.Parallel()
	registrationtest.Run(t, &registrationtest.Case{
		Vendor: mailjet.Vendor(), New: func() standin.Provider { return newAccount() }, Single: true, Events: []string{"bounce", "spam"}, OtherEvents: []string{"open", "bounce"},
	})
}

func ensure(t *testing.T, a *account, events ...string) error {
	t.Helper()
	v := mailjet.Vendor()
	keeper := registration.Keeper{API: registrationtest.Open(t, &v, a.StandIn, standin.APIKey)}
	_, err := keeper.Ensure(t.Context(), registration.Wanted{URL: registrationtest.URL, Events: events}, &registration.Known{})
	return err
}

// TestKindsOfOthers stay theirs: only a kind that is asked for and taken is in the way.
func TestKindsOfOthers(t *testing.T) {
	t.Parallel()
	a := newAccount()
	a.Put(standin.Hook{URL: registrationtest.Foreign, Events: []string{"open"}})
	a.callbacks = append(a.callbacks, callback{ID: 99, EventType: "bounce", URL: registrationtest.Foreign, Status: "alive", IsBackup: true})
	if err := ensure(t, a, "bounce", "spam"); err != nil {
		t.Error(err)
	}
	err := ensure(t, a, "bounce", "spam", "open")
	if !registration.IsKind(err, registration.Occupied) || !strings.Contains(err.Error(), "open") || strings.Contains(err.Error(), "LEAK") {
		t.Errorf("got %v", err)
	}
	if len(a.callbacks) != 4 || a.callbacks[0].URL != registrationtest.Foreign || a.callbacks[1].URL != registrationtest.Foreign {
		t.Errorf("has %+v", a.callbacks)
	}
}

// TestMoreThanTen callbacks are there when two endpoints and their backups are: Mailjet shows ten unless it is asked for more.
func TestMoreThanTen(t *testing.T) {
	t.Parallel()
	a := newAccount()
	for i := range 12 {
		a.callbacks = append(a.callbacks, callback{ID: int64(100 + i), EventType: "sent", URL: registrationtest.Foreign, IsBackup: true})
	}
	a.Put(standin.Hook{URL: registrationtest.URL, Events: []string{"bounce"}})
	if err := ensure(t, a, "bounce"); err != nil || len(a.callbacks) != 13 {
		t.Errorf("got %v, has %d", err, len(a.callbacks))
	}
}

package unisendergo_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mailvane/mailvane/controllers/registration/registrationtest"
	"github.com/mailvane/mailvane/controllers/registration/standin"
	"github.com/mailvane/mailvane/controllers/registration/unisendergo"
)

// account is a project as https://godocs.unisender.ru/web-api-ref tells it: all by POST, and webhooks are known by their URL.
type account struct {
	*standin.StandIn
	hooks []standin.Hook
}

type said struct {
	URL, Status string
	Events      struct {
		Statuses []string `json:"email_status"`
		Blocks   []string `json:"spam_block"`
	}
}

func newAccount() *account {
	a := &account{}
	a.StandIn = &standin.StandIn{
		Authorized: func(r *http.Request) bool { return r.Header.Get("X-Api-Key") == standin.APIKey },
		Refuse: func(w http.ResponseWriter, status int, words string) {
			standin.WriteJSON(w, status, map[string]any{"status": "error", "code": 102, "message": words})
		},
		Serve: a.serve,
	}
	return a
}

func (a *account) serve(w http.ResponseWriter, r *http.Request, body []byte) {
	var s said
	_ = json.Unmarshal(body, &s)
	at := slices.IndexFunc(a.hooks, func(h standin.Hook) bool { return h.URL == s.URL })
	switch strings.TrimPrefix(r.URL.Path, "/webhook/") {
	case "list.json":
		objects := []any{}
		for _, h := range a.hooks {
			status, statuses, blocks := "active", []string{}, []string{}
			if h.Disabled {
				status = "disabled"
			}
			for _, event := range h.Events {
				if event == "spam_block" {
					blocks = []string{"*"}
				} else {
					statuses = append(statuses, event)
				}
			}
			objects = append(objects, map[string]any{
				"id": standin.Number(h.ID), "url": h.URL, "status": status, "events": map[string]any{"email_status": statuses, "spam_block": blocks},
			})
		}
		standin.WriteJSON(w, http.StatusOK, map[string]any{"status": "success", "objects": objects})
		return
	case "set.json":
		h := standin.Hook{URL: s.URL, Events: s.Events.Statuses, Disabled: s.Status != "active"}
		if len(s.Events.Blocks) > 0 {
			h.Events = append(h.Events, "spam_block")
		}
		if at >= 0 {
			h.ID = a.hooks[at].ID
			a.hooks[at] = h
		} else {
			a.Put(h)
		}
	case "delete.json":
		if at < 0 {
			a.Refuse(w, http.StatusNotFound, "webhook not found")
			return
		}
		a.hooks = append(a.hooks[:at:at], a.hooks[at+1:]...)
	}
	standin.WriteJSON(w, http.StatusOK, map[string]any{"status": "success"})
}

func (a *account) Server() *standin.StandIn { return a.StandIn }

func (a *account) Hooks() []standin.Hook { return a.hooks }

func (a *account) Put(h standin.Hook) {
	h.ID = strconv.Itoa(1 + len(a.hooks))
	a.hooks = append(a.hooks, h)
}

func TestSuite(t *testing.T) {
	t.Parallel()
	registrationtest.Run(t, &registrationtest.Case{
		Vendor: unisendergo.Vendor(), New: func() standin.Provider { return newAccount() },
		Events: []string{"delivered", "hard_bounced"}, OtherEvents: []string{"opened", "spam_block"}, Reads: []string{"POST /webhook/list.json"},
	})
}

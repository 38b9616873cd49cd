package standin

import (
	"encoding/json"
	"net/http"
)

// EmailEngine is the settings of an EmailEngine, as https://learn.emailengine.app/docs/receiving/webhooks and its API reference tell them: what was never set is null, what is
// secret is shown as true or false, and what is set is what is sent.
type EmailEngine struct {
	*StandIn
	// Settings are those that were set, as JSON.
	Settings map[string]json.RawMessage
}

// NewEmailEngine returns one that nobody has set up, and that has made a serviceSecret for itself.
func NewEmailEngine() *EmailEngine {
	s := &EmailEngine{Settings: map[string]json.RawMessage{"serviceSecret": json.RawMessage(`"LEAK-made-by-emailengine"`)}}
	s.StandIn = &StandIn{
		Authorized: func(r *http.Request) bool { return r.Header.Get("Authorization") == "Bearer "+APIKey },
		Refuse: func(w http.ResponseWriter, status int, words string) {
			WriteJSON(w, status, map[string]any{"statusCode": status, "error": http.StatusText(status), "message": words})
		},
		Serve: s.serve,
	}
	return s
}

func (s *EmailEngine) serve(w http.ResponseWriter, r *http.Request, body []byte) {
	if r.URL.Path != "/v1/settings" {
		s.Refuse(w, http.StatusNotFound, "Not Found")
		return
	}
	if r.Method == http.MethodPost {
		var payload map[string]json.RawMessage
		if err := json.Unmarshal(body, &payload); err != nil {
			s.Refuse(w, http.StatusBadRequest, "Invalid input")
			return
		}
		updated := []string{}
		for name, value := range payload {
			s.Settings[name] = value
			updated = append(updated, name)
		}
		WriteJSON(w, http.StatusOK, map[string]any{"updated": updated})
		return
	}
	answer := map[string]any{}
	for name := range r.URL.Query() {
		answer[name] = s.Settings[name]
		if s.Settings[name] == nil {
			answer[name] = nil
		}
		if name == "serviceSecret" {
			answer[name] = s.Settings[name] != nil
		}
	}
	WriteJSON(w, http.StatusOK, answer)
}

// Server returns what answers.
func (s *EmailEngine) Server() *StandIn { return s.StandIn }

// Setting returns one of an EmailEngine's settings; the zero value where it was never set.
func Setting[T any](s *EmailEngine, name string) (value T) {
	_ = json.Unmarshal(s.Settings[name], &value)
	return value
}

// EmailEngineHeader is a member of webhooksCustomHeaders.
type EmailEngineHeader struct{ Key, Value string }

// Hooks returns the one webhook, if it is set.
func (s *EmailEngine) Hooks() []Hook {
	h := Hook{
		URL: Setting[string](s, "webhooks"), Events: Setting[[]string](s, "webhookEvents"), Disabled: !Setting[bool](s, "webhooksEnabled"), Key: Setting[string](s, "serviceSecret"),
	}
	for _, one := range Setting[[]EmailEngineHeader](s, "webhooksCustomHeaders") {
		if one.Key != "X-Of-Somebody" {
			h.Header, h.HeaderValue = one.Key, one.Value
		}
	}
	if h.URL == "" {
		return nil
	}
	return []Hook{h}
}

// Put makes a webhook.
func (s *EmailEngine) Put(h Hook) {
	set := func(name string, value any) { s.Settings[name], _ = json.Marshal(value) }
	set("webhooks", h.URL)
	set("webhookEvents", h.Events)
	set("webhooksEnabled", !h.Disabled)
}

package standin

import (
	"net/http"
	"slices"
)

// MailChannels is an account at MailChannels as https://docs.mailchannels.com/email-api/webhooks and its API description tell it: webhooks are URLs without ids, one that
// is enrolled is answered with 409, and DELETE removes all.
type MailChannels struct {
	*StandIn
	// URLs are its webhooks.
	URLs []string
	// Answers are what the webhooks answer to a test, by URL; 0 = nothing.
	Answers map[string]int
}

// NewMailChannels returns an account without webhooks.
func NewMailChannels() *MailChannels {
	s := &MailChannels{Answers: map[string]int{}}
	s.StandIn = &StandIn{
		Authorized: func(r *http.Request) bool { return r.Header.Get("X-Api-Key") == APIKey },
		Refuse: func(w http.ResponseWriter, status int, words string) {
			WriteJSON(w, status, map[string]string{"message": words})
		},
		Serve: s.serve,
	}
	return s
}

func (s *MailChannels) serve(w http.ResponseWriter, r *http.Request, _ []byte) {
	switch r.Method + " " + r.URL.Path {
	case "GET /webhook":
		list := []map[string]string{}
		for _, url := range s.URLs {
			list = append(list, map[string]string{"webhook": url})
		}
		WriteJSON(w, http.StatusOK, list)
	case "POST /webhook":
		url := r.URL.Query().Get("endpoint")
		if slices.Contains(s.URLs, url) {
			s.Refuse(w, http.StatusConflict, "already enrolled")
			return
		}
		s.URLs = append(s.URLs, url)
		w.WriteHeader(http.StatusCreated)
	case "DELETE /webhook":
		s.URLs = nil
		w.WriteHeader(http.StatusNoContent)
	case "POST /webhook/validate":
		s.validate(w)
	default:
		s.Refuse(w, http.StatusNotFound, "no such page")
	}
}

func (s *MailChannels) validate(w http.ResponseWriter) {
	var results []map[string]any
	for _, url := range s.URLs {
		result := map[string]any{"result": "failed", "webhook": url, "response": nil}
		if status := s.Answers[url]; status != 0 {
			result["response"] = map[string]any{"status": status, "body": "LEAK of an endpoint"}
			if status/100 == 2 {
				result["result"] = "passed"
			}
		}
		results = append(results, result)
	}
	WriteJSON(w, http.StatusOK, map[string]any{"all_passed": false, "results": results})
}

// Server returns what answers.
func (s *MailChannels) Server() *StandIn { return s.StandIn }

// Hooks returns the webhooks of the account.
func (s *MailChannels) Hooks() []Hook {
	var hooks []Hook
	for _, url := range s.URLs {
		hooks = append(hooks, Hook{URL: url})
	}
	return hooks
}

// Put makes a webhook.
func (s *MailChannels) Put(h Hook) { s.URLs = append(s.URLs, h.URL) }

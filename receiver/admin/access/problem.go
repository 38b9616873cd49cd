package access

import (
	"fmt"
	"net/http"

	"github.com/go-json-experiment/json"
)

// problem is a refusal, as application/problem+json (RFC 9457).
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

func newProblem(status int, name, title, detail string) *problem {
	return &problem{Type: "https://mailvane.dev/problems/" + name, Title: title, Status: status, Detail: detail}
}

func unauthorized() *problem {
	return newProblem(http.StatusUnauthorized, "admin-token", "Not authenticated", "The admin API asks for a token: Authorization: Bearer TOKEN.")
}

func notAllowed(needed, has Right) *problem {
	return newProblem(http.StatusForbidden, "admin-right", "Not allowed", fmt.Sprintf("This needs the right %s; the token gives the right %s.", needed, has))
}

func foreignHost() *problem {
	return newProblem(http.StatusForbidden, "foreign-host", "Foreign host", "The Host header must be localhost, or the address that the admin API listens on.")
}

func foreignOrigin() *problem {
	return newProblem(http.StatusForbidden, "foreign-origin", "Foreign origin", "The admin API takes no requests from pages of other sites.")
}

func (p *problem) write(w http.ResponseWriter) {
	body, err := json.Marshal(p)
	if err != nil {
		http.Error(w, p.Title, p.Status)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="mailvane"`) // RFC 6750 section 3
	}
	w.WriteHeader(p.Status)
	_, _ = w.Write(body) // the client is gone; there is nobody to tell
}

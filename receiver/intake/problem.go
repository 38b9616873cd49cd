package intake

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/go-json-experiment/json"
)

// problemBase begins the "type" of every problem (RFC 9457 section 3.1.1).
const problemBase = "https://mailvane.dev/problems/"

// problem is an answer other than 200, as application/problem+json (RFC 9457).
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitzero"`

	retryAfter int
}

func newProblem(status int, name, title, detail string) *problem {
	return &problem{Type: problemBase + name, Title: title, Status: status, Detail: detail}
}

func (p *problem) after(seconds int) *problem {
	p.retryAfter = seconds
	return p
}

func notFound() *problem {
	return newProblem(http.StatusNotFound, "unknown-path", "No webhook endpoint here",
		"No endpoint has this path. Compare the URL with the one in the WebhookEndpoint's status.")
}

func methodNotAllowed() *problem {
	return newProblem(http.StatusMethodNotAllowed, "method", "Method not allowed", "Send webhooks with POST; GET and HEAD only probe the URL.")
}

// unauthorized says nothing about which check failed: that would help only somebody who is guessing.
func unauthorized() *problem {
	return newProblem(http.StatusUnauthorized, "unauthorized", "Not authenticated", "")
}

func tooLarge(limit int64) *problem {
	return newProblem(http.StatusRequestEntityTooLarge, "body-too-large", "Body too large",
		fmt.Sprintf("This endpoint takes bodies of up to %d bytes; its owner can raise spec.maxBodySize.", limit))
}

func encoded() *problem {
	return newProblem(http.StatusUnsupportedMediaType, "content-encoding", "Encoded body", "Send the body without Content-Encoding.")
}

func badBody(detail string) *problem {
	return newProblem(http.StatusBadRequest, "incomplete-body", "Incomplete body", detail)
}

// slowBody is no 408, after which Webex Connect does not send an event again.
func slowBody() *problem {
	return unavailable("slow-body", "The body took too long. Send it faster.", retryAfterBusy)
}

func busyEndpoint() *problem {
	return newProblem(http.StatusTooManyRequests, "endpoint-busy", "Too many requests at once", "Too many bytes of this endpoint are in flight. Retry later.").after(retryAfterBusy)
}

func unavailable(name, detail string, retryAfter int) *problem {
	return newProblem(http.StatusServiceUnavailable, name, "Not available", detail).after(retryAfter)
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
	switch p.Status {
	case http.StatusUnauthorized:
		// RFC 9110 section 11.6.1 asks for a challenge; it is the same for every endpoint, so that it tells nothing.
		h.Set("WWW-Authenticate", `Basic realm="mailvane", charset="UTF-8"`)
	case http.StatusUnsupportedMediaType:
		h.Set("Accept-Encoding", "identity") // RFC 9110 section 15.5.16
	case http.StatusMethodNotAllowed:
		h.Set("Allow", "POST, GET, HEAD")
	}
	if p.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(p.retryAfter))
	}
	w.WriteHeader(p.Status)
	_, _ = w.Write(body) // the client is gone; there is nobody to tell
}

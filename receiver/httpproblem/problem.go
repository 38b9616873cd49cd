// Package httpproblem writes answers other than 200 as application/problem+json (RFC 9457).
package httpproblem

import (
	"net/http"

	"github.com/go-json-experiment/json"
)

// base begins the type of every problem (RFC 9457 section 3.1.1).
const base = "https://mailvane.dev/problems/"

// MediaType is that of a problem.
const MediaType = "application/problem+json"

// Problem is what is wrong with a request, or why it cannot be answered now.
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	// Detail says for people what to do; empty where that would help who should not be helped.
	Detail string `json:"detail,omitzero"`

	header http.Header
}

// New returns a problem. Name is the end of its type.
func New(status int, name, title, detail string) *Problem {
	return &Problem{Type: base + name, Title: title, Status: status, Detail: detail}
}

// With adds a header to the answer, and returns p.
func (p *Problem) With(name, value string) *Problem {
	if p.header == nil {
		p.header = http.Header{}
	}
	p.header.Set(name, value)
	return p
}

// Write answers a request. Nobody may keep the answer.
func (p *Problem) Write(w http.ResponseWriter) {
	body, err := json.Marshal(p)
	if err != nil {
		http.Error(w, p.Title, p.Status)
		return
	}
	h := w.Header()
	h.Set("Content-Type", MediaType)
	h.Set("Cache-Control", "no-store")
	for name := range p.header {
		h.Set(name, p.header.Get(name))
	}
	w.WriteHeader(p.Status)
	_, _ = w.Write(body) // the client is gone; there is nobody to tell
}

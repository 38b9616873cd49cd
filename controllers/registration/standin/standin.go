// Package standin stands in for the APIs of providers in tests. Each of its accounts is written from the facts of the provider's documents.
package standin

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// APIKey is the key that stand-ins take. It is looked for in everything that is said.
const APIKey = "LEAK-api-key-5d1e8f0c2b7a"

// Hook is a webhook that a stand-in has.
type Hook struct {
	// ID, URL and Events are those of a [registration.Webhook].
	ID, URL  string
	Events   []string
	Disabled bool
	// Key is what it signs with.
	Key string
	// Username, Password, Header and HeaderValue are what it was told to send.
	Username, Password, Header, HeaderValue string
}

// StandIn is an account at a provider, as its documents describe it. Its methods may be used while it serves.
type StandIn struct {
	// Account is what is asked for beside the key.
	Account string
	// Serve answers a request of somebody who has shown the key. It is called by one request at a time.
	Serve func(w http.ResponseWriter, r *http.Request, body []byte)
	// Authorized reports whether a request shows the key.
	Authorized func(r *http.Request) bool
	// Refuse writes what the provider answers to a request with a status that is no success, in its form.
	Refuse func(w http.ResponseWriter, status int, words string)

	mu       sync.Mutex
	override func(w http.ResponseWriter, r *http.Request) bool
	requests []string
}

// ServeHTTP answers as the provider does.
func (s *StandIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r.Method+" "+r.URL.Path)
	if s.override != nil && s.override(w, r) {
		return
	}
	if !s.Authorized(r) {
		s.Refuse(w, http.StatusUnauthorized, "the key "+r.Header.Get("Authorization")+r.Header.Get("X-Api-Key")+" is not known")
		return
	}
	s.Serve(w, r, body)
}

// Provider is an account at a provider. Its methods are not called while it serves a request; [StandIn.Locked] sees to that.
type Provider interface {
	// Server is what answers.
	Server() *StandIn
	// Hooks returns the webhooks of the account.
	Hooks() []Hook
	// Put makes one without the API.
	Put(h Hook)
}

// Locked calls a function while no request is served.
func (s *StandIn) Locked(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// Answer has a function answer in the place of the provider as long as it returns true; nil ends that.
func (s *StandIn) Answer(override func(w http.ResponseWriter, r *http.Request) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.override = override
}

// Requests returns those that were made since it was asked last, such as "POST /webhook".
func (s *StandIn) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken := s.requests
	s.requests = nil
	return taken
}

// Writes returns those of the requests that were made since it was asked last that are no GET.
func (s *StandIn) Writes() []string {
	return slices.DeleteFunc(s.Requests(), func(r string) bool { return strings.HasPrefix(r, "GET ") })
}

// WriteJSON answers with a document.
func WriteJSON(w http.ResponseWriter, status int, document any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(document)
}

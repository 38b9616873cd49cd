package tryout

import (
	"fmt"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/endpoint"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/route"
)

// Result is what a request becomes.
type Result struct {
	// Endpoint is "namespace/name", and Provider its type.
	Endpoint string `json:"endpoint"`
	Provider string `json:"provider"`
	// Verified says that the request is authentic. Key is what showed it; "" = no key did.
	Verified bool   `json:"verified"`
	Key      string `json:"key,omitzero"`
	// Refusal says why it is not taken.
	Refusal string `json:"refusal,omitzero"`
	// Shadow says that the endpoint takes it all the same.
	Shadow bool `json:"shadow,omitzero"`
	// Handshake is the answer to a request that only asks.
	Handshake *Answer `json:"handshake,omitzero"`
	// Events and DeadLetters are what it holds; of a refused request what it would hold.
	Events      []Event      `json:"events"`
	DeadLetters []DeadLetter `json:"deadLetters"`
	// Foreign counts the items that are for others and dropped.
	Foreign int `json:"foreign,omitzero"`
	// Confirmations are the addresses that a receiver would call, which was not done.
	Confirmations []string `json:"confirmations,omitzero"`
}

// Answer is an answer to the provider.
type Answer struct {
	Status int    `json:"status"`
	Body   string `json:"body"`
}

// Event is an event as it would be emitted, before a sink's content rules, and the sinks that would get it, as "namespace/name".
type Event struct {
	Sinks []string       `json:"sinks"`
	Event jsontext.Value `json:"event"`
}

// DeadLetter is what cannot be decoded or routed.
type DeadLetter struct {
	Cause  string `json:"cause"`
	Reason string `json:"reason"`
	Route  string `json:"route,omitzero"`
	Body   string `json:"body"`
}

// Failed reports whether anything of the request would be lost or kept for a person.
func (r *Result) Failed() bool { return !r.Verified || len(r.DeadLetters) > 0 }

func (r *Result) refuse(what, reason string, err error) {
	if err != nil {
		reason = "could not be decided: " + err.Error()
	}
	r.Refusal = what + reason
	if hint := hints()[reason]; hint != "" {
		r.Refusal += ": " + hint
	}
}

// hints say what is to be looked at for each cause of a refusal.
func hints() map[string]string {
	return map[string]string{ //nolint:gosec // no credentials: what is said of them
		string(provider.ReasonMissing):    "a header of the signature is not there, or not of the form that the settings say",
		string(provider.ReasonMalformed):  "a header of the signature cannot be read, is there twice, or is ambiguous",
		string(provider.ReasonMismatch):   "no key made it; is it the secret of this webhook, is the body what came, byte by byte, and is what is signed what the settings say?",
		string(provider.ReasonDigest):     "the body is not what was signed; is it what came, byte by byte?",
		string(provider.ReasonTime):       "it was signed too long before or after it arrived; say with --at when that was",
		string(provider.ReasonUnknownKey): "the request names a key that is not known",
		string(provider.ReasonSender):     "it is signed, by somebody whom the endpoint does not list",
		"path_token":                      "the path must end with the token of spec.authentication.pathToken",
		"basic":                           "the header Authorization is not there, or of somebody else",
		"header":                          "the header of spec.authentication.header is not there, or has another value",
		"token":                           "the token of spec.authentication.oidc is not there, or not good",
	}
}

// take takes what was decoded. Each event is routed by itself, so that what becomes of it stands beside it.
func (r *Result) take(t *Trial, request *provider.Request, decoded *provider.Batch) {
	for i := range decoded.Events {
		e := &decoded.Events[i]
		built := t.Endpoint.Build(request, &provider.Batch{Events: decoded.Events[i : i+1]}, false, &endpoint.Arena{}, func(*route.Failure) {})
		r.addDeadLetters(&built)
		encoded, err := event.Encode(e, event.Source(t.Spec.Namespace, t.Spec.Name))
		if err != nil {
			continue // it is a dead letter
		}
		sinks := []string{}
		for j := range built.Batch.Entries {
			sinks = append(sinks, built.Batch.Entries[j].Sinks...)
		}
		slices.Sort(sinks)
		r.Events = append(r.Events, Event{Sinks: sinks, Event: encoded})
	}
	built := t.Endpoint.Build(request, &provider.Batch{Undecodable: decoded.Undecodable}, false, &endpoint.Arena{}, func(*route.Failure) {})
	r.addDeadLetters(&built)
	r.Foreign = decoded.Refused
	for i := range decoded.Confirm {
		c := &decoded.Confirm[i]
		r.Confirmations = append(r.Confirmations, fmt.Sprintf("%s: %s", c.Subject, c.URL))
	}
}

func (r *Result) addDeadLetters(b *endpoint.Builder) {
	for i := range b.Batch.DeadLetters {
		d := &b.Batch.DeadLetters[i]
		r.DeadLetters = append(r.DeadLetters, DeadLetter{Cause: string(d.Cause), Reason: d.Reason, Route: d.Route, Body: string(d.Payload)})
	}
}

// Package config is the contract between what renders a receiver's configuration (the manager, or the mailvane
// command on a laptop) and the receiver: endpoints, routes, sinks and the values of their credentials, in one JSON document.
package config

import "encoding/json"

// Version is the format of the document. A receiver refuses any other.
const Version = "mailvane.dev/receiver/v1"

// Config is everything that one receiver needs to know. It holds credentials: it is never logged.
type Config struct {
	// Version must be [Version].
	Version string `json:"version"`
	// Endpoints are the webhook endpoints, unique by namespace and name, and by path.
	Endpoints []Endpoint `json:"endpoints,omitempty"`
	// Sinks are the destinations, unique by namespace and name.
	Sinks []Sink `json:"sinks,omitempty"`
}

// Endpoint is one WebhookEndpoint.
type Endpoint struct {
	// Namespace and Name are the object's.
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// Path is the URL path, beginning with a slash.
	Path string `json:"path"`
	// PublicURL is the scheme and host at which the endpoint is reached from outside, without a slash at the end; empty = not known.
	PublicURL string `json:"publicURL,omitempty"`
	// Provider is the provider and its settings.
	Provider Plugin `json:"provider"`
	// Authentication holds the further factors; all that are set must pass.
	Authentication Authentication `json:"authentication,omitzero"`
	// Verification is Enforce or Shadow.
	Verification string `json:"verification"`
	// State is Active, Paused, or Unavailable: then only Namespace, Name, Path, the provider's type, Verification and State are set.
	State string `json:"state"`
	// MaxBodyBytes bounds a request's body.
	MaxBodyBytes int64 `json:"maxBodyBytes,omitzero"`
	// Routes say which events go to which sinks.
	Routes []Route `json:"routes,omitempty"`
}

// QualifiedName returns "namespace/name", by which receivers know an endpoint or a sink.
func QualifiedName(namespace, name string) string { return namespace + "/" + name }

// The values of Endpoint.Verification and Endpoint.State.
const (
	Enforce = "Enforce"
	Shadow  = "Shadow"
	Active  = "Active"
	Paused  = "Paused"
	// Unavailable is an endpoint that cannot work now as a whole, for example because its Secret does not exist. It answers 503, as a
	// paused one does: some providers never send again what was answered with 404.
	Unavailable = "Unavailable"
)

// Plugin names one kind of provider or sink and carries its settings.
type Plugin struct {
	// Type is the kind's name.
	Type string `json:"type"`
	// Settings is the kind's own JSON object, with credentials in place of references.
	Settings json.RawMessage `json:"settings,omitempty"`
}

// Authentication holds the factors beside the provider's signature. An unset factor passes.
type Authentication struct {
	// PathToken requires one of the tokens as the last segment of the path.
	PathToken PathToken `json:"pathToken,omitzero"`
	// Basic requires one of the user name and password pairs (RFC 7617).
	Basic Basic `json:"basic,omitzero"`
	// Header requires one of the values in a named header.
	Header HeaderFactor `json:"header,omitzero"`
	// OIDC requires a token of an OpenID provider.
	OIDC OIDC `json:"oidc,omitzero"`
	// AllowedCIDRs requires the client's address to lie in one of the ranges.
	AllowedCIDRs []string `json:"allowedCIDRs,omitempty"`
}

// PathToken is a secret at the end of the URL.
type PathToken struct {
	// Secrets are the tokens that are valid now.
	Secrets []string `json:"secrets,omitempty"`
}

// Basic is HTTP basic authentication.
type Basic struct {
	// Secrets are the pairs that are valid now.
	Secrets []BasicCredential `json:"secrets,omitempty"`
}

// BasicCredential is a user name and its password.
type BasicCredential struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

// OIDC is a JSON Web Token in the header Authorization (RFC 6750 section 2.1), signed by an OpenID provider.
type OIDC struct {
	// Issuer is the provider: what the claim "iss" must be, and below what its keys are found.
	Issuer string `json:"issuer,omitempty"`
	// Audiences are what the claim "aud" may be; at least one.
	Audiences []string `json:"audiences,omitempty"`
	// Subjects are what the claim "sub" may be, or "email" where that is verified; empty = any.
	Subjects []string `json:"subjects,omitempty"`
}

// HeaderFactor is a secret in a header.
type HeaderFactor struct {
	// Name is the header's name.
	Name string `json:"name,omitempty"`
	// Secrets are the values that are valid now.
	Secrets []string `json:"secrets,omitempty"`
}

// Route sends the events that its filter selects to one sink.
type Route struct {
	// Name is unique within the endpoint.
	Name string `json:"name"`
	// Sink is the name of a sink in the endpoint's namespace.
	Sink string `json:"sink"`
	// Filter is a CEL expression over "event"; empty selects every event but tests.
	Filter string `json:"filter,omitempty"`
	// Problem says for people why the route cannot decide now; empty = it can. What its filter selects, and without a filter every
	// event, becomes a dead letter of the route: a filter that does not compile is left out.
	Problem string `json:"problem,omitzero"`
}

// Sink is one EventSink.
type Sink struct {
	// Namespace and Name are the object's.
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// Kind is the kind of sink and its settings.
	Kind Plugin `json:"kind"`
	// Content is what it gets of an event; nil = all of it.
	Content *Content `json:"content,omitzero"`
	// Delivery is how events are handed over.
	Delivery Delivery `json:"delivery"`
}

// The values of Delivery.Ordering.
const (
	Unordered = "Unordered"
	ByKey     = "ByKey"
)

// Delivery is the policy with which a sink is fed. All values are set: defaults are the API's.
type Delivery struct {
	// MaxInFlight bounds the number of sends at a time.
	MaxInFlight int `json:"maxInFlight"`
	// BatchMaxEvents and BatchMaxBytes bound one send.
	BatchMaxEvents int `json:"batchMaxEvents"`
	BatchMaxBytes  int `json:"batchMaxBytes"`
	// LingerMilliseconds is how long a batch that is not full waits for more.
	LingerMilliseconds int `json:"lingerMilliseconds"`
	// TimeoutSeconds bounds one send.
	TimeoutSeconds int `json:"timeoutSeconds"`
	// InitialBackoffMilliseconds and MaxBackoffSeconds bound the wait between attempts.
	InitialBackoffMilliseconds int `json:"initialBackoffMilliseconds"`
	MaxBackoffSeconds          int `json:"maxBackoffSeconds"`
	// MaxAgeSeconds is the age at which an undelivered event becomes a dead letter.
	MaxAgeSeconds int `json:"maxAgeSeconds"`
	// Ordering is Unordered or ByKey.
	Ordering string `json:"ordering"`
	// EventsPerSecond limits the rate; 0 = no limit.
	EventsPerSecond int `json:"eventsPerSecond,omitempty"`
	// DeadLetterSink names a sink of the same namespace that takes the dead letters; empty = they stay in the journal.
	DeadLetterSink string `json:"deadLetterSink,omitempty"`
}

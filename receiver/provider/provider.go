// Package provider defines the seam between Mailvane and one email provider's webhooks.
// A provider is a folder of pure functions: a request in, events out. It logs nothing and reads no clock; what it needs comes in a
// [Request] or an [Environment], and what it wants done, such as a call that confirms a subscription, it says in a [Batch].
package provider

import (
	"context"
	"net/http"
	"time"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/keys"
)

// Request is one webhook request, read whole and not yet trusted. One that is decoded again later has only Header, with what
// [Kind.DecodeHeaders] names, Body and ReceivedAt.
type Request struct {
	// Method is the HTTP method.
	Method string
	// Base is the scheme and host that the provider was told to post to: that of the endpoint's exposure; "" = it is not known, and
	// Host is what the request says.
	Base, Host string
	// Path and Query are what stands in the URL, escaped as they came; the path has the token where there is one.
	Path, Query string
	// Header holds the request's headers.
	Header http.Header
	// Body is the raw body. Decoded events may alias it, so it must not be changed while one is used. A Webhook keeps no part of it.
	Body []byte
	// TraceParent is the W3C trace context of what handles the request, for its events; empty = it is not traced.
	TraceParent string
	// ReceivedAt is when the request arrived; it is the clock for tolerances and plausibility.
	ReceivedAt time.Time
}

// Proof says what showed that a request is authentic.
type Proof struct {
	// Key names the key: the position of the secret among those of the settings, from "0" on, or the id of a public key. It holds
	// nothing of a secret; "" = no key did.
	Key string
	// Bearer is what the key signed, where that is nothing of the body: who has seen it once can send any body with it. "" = the body
	// is signed.
	Bearer string
}

// Webhook is one configured endpoint of a provider. Its methods are safe for concurrent use.
type Webhook interface {
	// Verify checks the request's authenticity on its raw bytes, in constant time. It fails with a *VerifyError
	// when the request is not authentic, and with any other error when authenticity could not be decided
	// (for instance a key server that cannot be reached).
	Verify(ctx context.Context, r *Request) (Proof, error)
	// Decode turns a request into events. It never fails as a whole: what cannot be decoded is in Batch.Undecodable.
	Decode(r *Request) Batch
}

// Handshaker is implemented by webhooks whose provider asks, before it sends events, whether somebody is there, in a way that no
// signature covers.
type Handshaker interface {
	// Methods are those of HTTP beside POST, GET and HEAD that a handshake uses.
	Methods() []string
	// Handshake returns the answer to a request that is a handshake, and reports whether it is one. It is asked after the endpoint's
	// further factors and before Verify, with requests of any method, and it tells nothing that the request does not hold. Its answer
	// to a POST must let nothing pass that could be an event.
	Handshake(r *Request) (Reply, bool)
}

// Reply is an answer to the provider.
type Reply struct {
	// Status is the HTTP status; 0 = 200.
	Status int
	// Header is added to the answer; nil = none. Without a Content-Type there is none.
	Header http.Header
	// Body is the answer's body.
	Body []byte
}

// Authenticator is implemented by webhooks that can be configured without a credential of the provider's own.
type Authenticator interface {
	// Authenticates reports whether Verify checks anything. An endpoint for which it does not needs another factor.
	Authenticates() bool
}

// HeaderReader is implemented by webhooks whose settings say which headers Decode reads beside those of [Kind.DecodeHeaders].
type HeaderReader interface {
	// DecodeHeaders names them; see [Kind.DecodeHeaders].
	DecodeHeaders() []string
}

// Batch is what one request holds.
type Batch struct {
	// Events are the normalized events, in the order of the request.
	Events []event.Event
	// Undecodable are the items, or the whole body, that are authentic but could not be read.
	Undecodable []Undecodable
	// Refused counts the items that are authentic but not meant for this endpoint. They are dropped.
	Refused int
	// Reply is the answer once all is stored, where the provider asks for another than the usual receipt; nil = it does not. A request that
	// failed verification and was accepted in shadow mode gets the receipt.
	Reply *Reply
	// Confirm are the calls that the provider waits for. They are made before anything is stored; when one fails, the provider is
	// asked to send the request again.
	Confirm []Confirmation
}

// Confirmation is a call that tells a provider that its subscription is wanted.
type Confirmation struct {
	// URL is fetched with GET. The provider's package has checked it: an https URL at a host of the provider, without credentials. No
	// redirect is followed.
	URL string
	// Subject names for people what is confirmed, such as the ARN of a topic.
	Subject string
	// Manual says that nobody but a person may make the call: it is logged, once a minute at most.
	Manual bool
}

// Undecodable is an authentic item or body that could not be read.
type Undecodable struct {
	// Raw is the item's bytes.
	Raw []byte
	// Reason says for people what is wrong with it; it holds no credential and no content.
	Reason string
}

// Kind describes one provider. The list of all kinds is in package builtin.
type Kind struct {
	// Type is the name in WebhookEndpoint.spec.provider.type, such as "EmailEngine".
	Type string
	// New builds a Webhook from the JSON settings of one endpoint: the API member with its secret references replaced
	// by their values. Unknown fields are an error. No error holds a credential.
	New func(settings []byte, env Environment) (Webhook, error)
	// DecodeHeaders names the request headers that Decode reads. They are kept with an undecodable body,
	// so that it can be decoded again by a later release.
	DecodeHeaders []string
	// TakesGzip says that the provider may send bodies that are compressed with gzip (RFC 1952), and signs them as it sends them. Decode sees
	// them inflated, up to the endpoint's largest body.
	TakesGzip bool
}

// Environment is what providers may use of the world around them.
type Environment struct {
	// HTTPClient fetches public keys. Nil means that nothing can be fetched (a cluster without egress).
	HTTPClient *http.Client
	// Keys remembers fetched public keys from one configuration to the next. Nil means that each Webhook remembers its own.
	Keys *keys.Registry
}

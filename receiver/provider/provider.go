// Package provider defines the seam between Mailvane and one email provider's webhooks.
// A provider is a folder of pure functions: headers and bytes in, events out. It does no I/O of its own,
// logs nothing and reads no clock; what it needs comes in a [Request] or an [Environment].
package provider

import (
	"context"
	"io/fs"
	"net/http"
	"time"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/signature"
)

// Request is one webhook request, read whole and not yet trusted.
type Request struct {
	// Header holds the request's headers.
	Header http.Header
	// Body is the raw body. Decoded events may alias it, so it must not be changed while one is used. A Webhook keeps no part of it.
	Body []byte
	// ReceivedAt is when the request arrived; it is the clock for tolerances and plausibility.
	ReceivedAt time.Time
}

// Webhook is one configured endpoint of a provider. Its methods are safe for concurrent use.
type Webhook interface {
	// Verify checks the request's authenticity on its raw bytes, in constant time. It returns nil, a *VerifyError
	// when the request is not authentic, or any other error when authenticity could not be decided
	// (for instance a key server that cannot be reached).
	Verify(ctx context.Context, r *Request) error
	// Decode turns a request into events. It never fails as a whole: what cannot be decoded is in Batch.Undecodable.
	Decode(r *Request) Batch
}

// Authenticator is implemented by webhooks that can be configured without a credential of the provider's own.
type Authenticator interface {
	// Authenticates says whether Verify checks anything. An endpoint for which it does not needs another factor.
	Authenticates() bool
}

// Batch is what one request holds.
type Batch struct {
	// Events are the normalized events, in the order of the request.
	Events []event.Event
	// Undecodable are the items, or the whole body, that are authentic but could not be read.
	Undecodable []Undecodable
	// Refused counts the items that are authentic but not meant for this endpoint. They are dropped.
	Refused int
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
	// Samples holds one whole HTTP request per documented event, *.http, each with a valid signature.
	Samples fs.FS
	// Sign sets the signature headers that the provider would send for r.Body at r.ReceivedAt.
	// It signs with the first of the settings' keys; signingKey is for providers with asymmetric keys, whose settings
	// hold only the public half (PKCS #8 PEM, else empty).
	Sign func(settings, signingKey []byte, r *Request) error
	// Freshen returns the sample body changed so that it stands for a new event: unique becomes part of its identity,
	// now becomes its time.
	Freshen func(body []byte, unique string, now time.Time) []byte
}

// Environment is what providers may use of the world around them.
type Environment struct {
	// HTTPClient fetches public keys. Nil means that nothing can be fetched (a cluster without egress).
	HTTPClient *http.Client
	// KeyServers remembers fetched public keys from one configuration to the next. Nil means that each Webhook
	// remembers its own.
	KeyServers *signature.KeyServers
}

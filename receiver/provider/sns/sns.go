// Package sns reads what topics of Amazon SNS post, and those of services that speak its protocol: the envelope, its signature, and the
// confirmation of a subscription. What the topics were told is for the providers that use it.
//
// Sources: docs.aws.amazon.com/sns/latest/dg, pages "Verifying the signatures of Amazon SNS messages", "Parsing Amazon SNS message
// formats" and "Raw message delivery", and the validators of the AWS SDKs.
package sns

import (
	"crypto/x509"
	"net/url"
	"time"

	"github.com/mailvane/mailvane/receiver/keys"
	"github.com/mailvane/mailvane/receiver/provider/sns/topic"
)

// Service is a service that speaks the protocol of Amazon SNS.
type Service struct {
	// Signs reports whether certificates that sign for a topic stand at a URL, of which scheme, port, user name and query were checked.
	Signs func(t *topic.Topic, at *url.URL) bool
	// Trusts reports whether a certificate that was fetched from such a URL signs for a topic at a time.
	Trusts func(t *topic.Topic, c *x509.Certificate, at time.Time) bool
	// ConfirmHost returns the host of the calls that confirm a subscription to a topic.
	ConfirmHost func(t *topic.Topic) string
}

// Endpoint is an endpoint that topics post to.
type Endpoint struct {
	// Provider is the type of the provider that the topics are used with.
	Provider string
	// Service is whose topics they are.
	Service Service
	// Topics are those that may post, by their ARNs. Anybody can have a topic of his own post to any URL, with a valid signature.
	Topics map[string]topic.Topic
	// Pinned are certificates that need not be fetched, and are trusted whatever their dates and names.
	Pinned []*x509.Certificate
	// Certificates fetches all others by their URLs.
	Certificates *keys.Store[*x509.Certificate]
	// OnlyVersion2 refuses signatures with SHA-1.
	OnlyVersion2 bool
	// RawDelivery takes messages without their envelope as well. They are not signed.
	RawDelivery bool
	// Manual leaves it to people to confirm subscriptions.
	Manual bool
}

// Authenticates implements [provider.Authenticator]: messages without an envelope have no signature.
func (e *Endpoint) Authenticates() bool { return !e.RawDelivery }

// The names of members of an envelope.
const (
	typeMember        = "Type"
	messageMember     = "Message"
	messageIDMember   = "MessageId"
	topicMember       = "TopicArn"
	timestampMember   = "Timestamp"
	tokenMember       = "Token"
	signatureMember   = "Signature"
	subscribeMember   = "SubscribeURL"
	unsubscribeMember = "UnsubscribeURL"
	subjectMember     = "Subject"
)

// The values of Type.
const (
	notification             = "Notification"
	subscriptionConfirmation = "SubscriptionConfirmation"
	unsubscribeConfirmation  = "UnsubscribeConfirmation"
)

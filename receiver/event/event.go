// Package event holds the one form that every provider's webhook is turned into:
// the normalized record, its vocabulary and its CloudEvents 1.0 envelope.
//
// It imports nothing else of Mailvane.
package event

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Event is the normalized record of one thing that happened, the "data" of a Mailvane CloudEvent.
//
// A field that the provider did not send is its zero value and is left out of the JSON. Struct fields are
// values, not pointers, so that a filter may read event.bounce.type of any event.
type Event struct {
	// ID is the same for every delivery of the same event by the provider (see [HashID]).
	ID string `json:"id"`
	// Type is the normalized name.
	Type Type `json:"type"`
	// Provider is the provider's type as written in the WebhookEndpoint, such as "EmailEngine".
	Provider string `json:"provider"`
	// ProviderEvent is the provider's own name of the event, verbatim.
	ProviderEvent string `json:"providerEvent,omitzero"`

	// Time is when the event happened by the provider's clock, in UTC; the time of receipt when the provider gave none that can be read.
	Time time.Time `json:"time"`
	// TimeRaw is the provider's timestamp, verbatim.
	TimeRaw string `json:"timeRaw,omitzero"`
	// TimeZoneAssumed says that TimeRaw names no zone and was read as UTC.
	TimeZoneAssumed bool `json:"timeZoneAssumed,omitzero"`
	// TimeImplausible says that TimeRaw is missing, unreadable, before the year 2000 or more than a day ahead of the receipt.
	TimeImplausible bool `json:"timeImplausible,omitzero"`
	// Late says that Time is more than a day before the receipt, for which duplicates are remembered: the provider delivers late, or
	// somebody sends an old request of its again. Only a signed time rules the latter out, see the page of the provider.
	Late bool `json:"late,omitzero"`

	// Recipient is the one address that the event is about; empty when the provider did not say which one.
	Recipient string `json:"recipient,omitzero"`
	// Recipients are the addresses of the whole message.
	Recipients []string `json:"recipients,omitzero"`
	// Sender is the address that the message is from.
	Sender string `json:"sender,omitzero"`
	// Subject is the subject line of the message.
	Subject string `json:"subject,omitzero"`

	// MessageID is the RFC 5322 Message-ID without its angle brackets.
	MessageID string `json:"messageId,omitzero"`
	// ProviderMessageID is the provider's own identifier of the message or of the request to send it.
	ProviderMessageID string `json:"providerMessageId,omitzero"`
	// ProviderEventID is the provider's own identifier of this event. It may come from an unsigned header.
	ProviderEventID string `json:"providerEventId,omitzero"`
	// CorrelationID is what the sender of the message attached to recognise it.
	CorrelationID string `json:"correlationId,omitzero"`
	// Account is the account at the provider.
	Account string `json:"account,omitzero"`

	// SMTPCode is the three-digit SMTP reply code (RFC 5321 section 4.2), 200 to 599.
	SMTPCode int `json:"smtpCode,omitzero" jsonschema:"minimum=200,maximum=599"`
	// EnhancedCode is the enhanced mail system status code (RFC 3463), such as "5.1.1".
	EnhancedCode string `json:"enhancedCode,omitzero"`
	// Reason is the provider's explanation for people.
	Reason string `json:"reason,omitzero"`
	// Diagnostic is the remote server's own words.
	Diagnostic string `json:"diagnostic,omitzero"`

	// Bounce tells more of an event of type [Bounced].
	Bounce Bounce `json:"bounce,omitzero"`
	// Reject tells more of an event of type [Rejected].
	Reject Reject `json:"reject,omitzero"`
	// Complaint tells more of an event of type [Complained] or [Uncomplained].
	Complaint Complaint `json:"complaint,omitzero"`

	// URL is the link that was clicked.
	URL string `json:"url,omitzero"`
	// IP is the address that opened, clicked, complained or unsubscribed.
	IP string `json:"ip,omitzero"`
	// UserAgent is the User-Agent that opened, clicked or unsubscribed.
	UserAgent string `json:"userAgent,omitzero"`
	// Client is the mail client or browser, where the provider names it apart.
	Client Client `json:"client,omitzero"`

	// Mail is the message itself, of an event of type [Received], as far as the provider tells it; nil = it does not.
	Mail *Mail `json:"mail,omitzero"`

	// Tags are the campaign or category names that the sender attached.
	Tags []string `json:"tags,omitzero"`
	// Metadata is what the sender of the message attached to it, under the sender's own names: custom arguments, user variables and the
	// like. The same name reads the same value whatever the provider is.
	Metadata map[string]string `json:"metadata,omitzero"`
	// Details are the provider's further facts that have no field of their own, under the provider's names. Lists are joined with
	// commas.
	Details map[string]string `json:"details,omitzero"`
	// Truncated says that there was more than a record holds: 256 values and 64 KiB of metadata and as much of details, 10,000
	// recipients, 256 KiB of each body of a mail. Raw has all of it.
	Truncated bool `json:"truncated,omitzero"`

	// Unverified says that the request failed verification and was accepted because its endpoint is in shadow mode.
	Unverified bool `json:"unverified,omitzero"`

	// Raw is the provider's own JSON of this item, token for token, but for credentials that the provider puts into it; white space between
	// tokens is not kept. An item that not every reader takes is kept as {"mediaType", "text"} or, where it is not UTF-8, as
	// {"mediaType", "base64"}, and a form as {"mediaType", "fields"}. Decoded again, it is this event.
	Raw jsontext.Value `json:"raw,omitzero"`

	// PartitionKey overrides what [Event.Key] derives; not part of the record.
	PartitionKey string `json:"-"`
	// TraceParent is the W3C trace context of the span of the request; empty = it is not traced. Not part of the record.
	TraceParent string `json:"-"`
}

// BounceType reports whether a bounce is final.
type BounceType string

// The bounce types.
const (
	// Hard bounces will not succeed later.
	Hard BounceType = "hard"
	// Soft bounces may succeed later.
	Soft BounceType = "soft"
	// Undetermined bounces carry no word on that.
	Undetermined BounceType = "undetermined"
)

// Bounce classifies a bounce.
type Bounce struct {
	// Type is "hard", "soft" or "undetermined".
	Type BounceType `json:"type,omitzero"`
	// Category says why, for example user_unknown, mailbox_full, content, policy, reputation, spam, connection or other.
	Category string `json:"category,omitzero"`
}

// The bounce categories that are shared by providers; a provider's own finer category is kept as it is.
const (
	CategoryUserUnknown = "user_unknown"
	CategoryMailboxFull = "mailbox_full"
	CategoryContent     = "content"
	CategoryPolicy      = "policy"
	CategoryReputation  = "reputation"
	CategorySpam        = "spam"
	CategoryConnection  = "connection"
	CategorySuppressed  = "suppressed"
	CategoryOther       = "other"
)

// RejectReason says why a message was never attempted.
type RejectReason string

// The reject reasons.
const (
	SuppressedBounce    RejectReason = "suppressed_bounce"
	SuppressedComplaint RejectReason = "suppressed_complaint"
	UnsubscribedAddress RejectReason = "unsubscribed"
	InvalidAddress      RejectReason = "invalid"
	UnverifiedAddress   RejectReason = "unverified"
	PolicyViolation     RejectReason = "policy"
	NoConsent           RejectReason = "no_consent"
	OtherReason         RejectReason = "other"
)

// Reject classifies a rejection.
type Reject struct {
	// Reason is one of the reject reasons.
	Reason RejectReason `json:"reason,omitzero"`
}

// Complaint classifies a spam report.
type Complaint struct {
	// FeedbackType is the Feedback-Type of RFC 5965 section 3.1, such as "abuse", or the provider's word for it.
	FeedbackType string `json:"feedbackType,omitzero"`
}

// Client names the software that opened or clicked.
type Client struct {
	// Name is the program and its version.
	Name string `json:"name,omitzero"`
	// OS is the operating system and its version.
	OS string `json:"os,omitzero"`
}

// Key returns the ordering and partition key: what all events of one message share.
// It is PartitionKey, else the message id, else the provider's message id, else the recipient, else the account; and a hash of what has
// more than maxKeyBytes, so that it fits where keys go.
func (e *Event) Key() string {
	return KeyOf(firstNonEmpty(e.PartitionKey, e.MessageID, e.ProviderMessageID, e.Recipient, e.Account))
}

// KeyOf returns the partition key that a value makes.
func KeyOf(value string) string {
	if len(value) > maxKeyBytes {
		return HashID(value)
	}
	return value
}

// maxKeyBytes is above what a message id may have: a line of mail has at most 998 characters, and real ones have less than 256
// (RFC 5322 section 2.1.1). maxNameBytes is above every name that a provider documents for an event.
const (
	maxKeyBytes  = 512
	maxNameBytes = 256
)

// eventName returns the provider's name of the event where it is as short as names are: what is longer is in the data only.
func (e *Event) eventName() string {
	if len(e.ProviderEvent) > maxNameBytes {
		return ""
	}
	return e.ProviderEvent
}

// CloudEventsSubject returns the CloudEvents "subject": the recipient, else the message id, else the account.
func (e *Event) CloudEventsSubject() string {
	return firstNonEmpty(e.Recipient, e.MessageID, e.ProviderMessageID, e.Account)
}

func firstNonEmpty(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

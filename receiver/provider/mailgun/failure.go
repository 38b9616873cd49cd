package mailgun

import (
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/refusal"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// failure is what Mailgun says of a message that it gave up.
type failure struct {
	// reason is its word, code a server's or one of its own, and bounceType "hard" or "soft" where it says so.
	reason, code, bounceType string
}

// set says what a failure means. What Mailgun never tried is a rejection.
func (f failure) set(e *event.Event) {
	if reason := f.suppressed(); reason != "" {
		e.Type, e.Reject.Reason = event.Rejected, reason
		return
	}
	e.Bounce = event.Bounce{Type: f.kind(e), Category: wire.First(f.category(), refusal.Category(e))}
}

// suppressed returns why Mailgun did not try: by its word, or else by a code of its own that no server has; "" = it did.
func (f failure) suppressed() event.RejectReason {
	switch wire.EventName(f.reason) {
	case "suppress_bounce":
		return event.SuppressedBounce
	case "suppress_complaint":
		return event.SuppressedComplaint
	case "suppress_unsubscribe":
		return event.UnsubscribedAddress
	}
	switch f.code {
	case "605":
		return event.SuppressedBounce
	case "606":
		return event.UnsubscribedAddress
	case "607":
		return event.SuppressedComplaint
	default:
		return ""
	}
}

// kind returns whether a bounce is final for the address. A block says nothing of it, nor does a server that could not be reached for too
// long.
func (f failure) kind(e *event.Event) event.BounceType {
	switch wire.EventName(f.bounceType) {
	case "hard":
		return event.Hard
	case "soft":
		return event.Soft
	}
	switch wire.EventName(f.reason) {
	case "old", "espblock", "greylisted", "blacklisted":
		return event.Soft
	}
	if t := refusal.Classify(e).Type; t != event.Undetermined {
		return t
	}
	return event.Hard
}

// category names what the reason says; "" = no more than that there was a failure.
func (f failure) category() string {
	switch wire.EventName(f.reason) {
	case "espblock", "blacklisted":
		return event.CategoryReputation
	case "greylisted":
		return event.CategoryPolicy
	case "old":
		return event.CategoryConnection
	default:
		return ""
	}
}

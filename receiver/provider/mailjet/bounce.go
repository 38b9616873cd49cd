package mailjet

import (
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/refusal"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// meaning is what an error says.
type meaning struct {
	// bounce is that of a message that a server refused. Its type counts where Mailjet does not say whether the bounce is hard.
	bounce event.Bounce
	// reject is why Mailjet did not send a message; "" = it failed.
	reject event.RejectReason
}

// errorMeanings returns the documented values of error. Real bodies have some of them in error_related_to.
func errorMeanings() map[string]meaning {
	of := func(t event.BounceType, category string, reject event.RejectReason) meaning {
		return meaning{event.Bounce{Type: t, Category: category}, reject}
	}
	return map[string]meaning{
		"user unknown":               of(event.Hard, event.CategoryUserUnknown, event.InvalidAddress),
		"mailbox inactive":           of(event.Hard, event.CategoryUserUnknown, event.OtherReason),
		"quota exceeded":             of(event.Soft, event.CategoryMailboxFull, event.OtherReason),
		"blacklisted":                of(event.Undetermined, event.CategoryOther, event.OtherReason),
		"spam reporter":              of(event.Soft, event.CategorySuppressed, event.SuppressedComplaint),
		"invalid domain":             of(event.Hard, event.CategoryUserUnknown, event.InvalidAddress),
		"no mail host":               of(event.Undetermined, event.CategoryConnection, event.OtherReason),
		"relay/access denied":        of(event.Soft, event.CategoryPolicy, event.OtherReason),
		"greylisted":                 of(event.Soft, event.CategoryConnection, event.OtherReason),
		"typofix":                    of(event.Hard, event.CategoryUserUnknown, event.InvalidAddress),
		"bad or empty template":      of(event.Undetermined, event.CategoryOther, ""),
		"error in template language": of(event.Undetermined, event.CategoryOther, ""),
		"sender blocked":             of(event.Soft, event.CategoryReputation, event.OtherReason),
		"content blocked":            of(event.Soft, event.CategoryContent, event.OtherReason),
		"policy issue":               of(event.Soft, event.CategoryPolicy, event.OtherReason),
		"system issue":               of(event.Soft, event.CategoryConnection, event.OtherReason),
		"protocol issue":             of(event.Soft, event.CategoryConnection, event.OtherReason),
		"connection issue":           of(event.Soft, event.CategoryConnection, event.OtherReason),
		"preblocked":                 of(event.Undetermined, event.CategorySuppressed, event.SuppressedBounce),
		"duplicate in campaign":      of(event.Undetermined, event.CategoryOther, event.PolicyViolation),
	}
}

// failure reads what went wrong, and reports whether it is documented.
func (i *item) failure(e *event.Event) (m meaning, known bool) {
	e.Reason = wire.First(i.Text("error"), i.Text("error_related_to"))
	wire.KeepDetails(e, i.Object, "error", "error_related_to", "blocked", "hard_bounce")
	for _, text := range []string{i.Text("error"), i.Text("error_related_to")} {
		if m, known = wire.Known(errorMeanings(), text); known {
			return m, true
		}
	}
	return meaning{}, false
}

// bounce reads that a server refused a message. Mailjet says itself whether that is final for the address.
func (i *item) bounce(e *event.Event) {
	e.Diagnostic = i.Text("comment")
	e.SMTPCode, e.EnhancedCode = wire.SMTPReply(e.Diagnostic)
	m, known := i.failure(e)
	e.Bounce.Category = wire.First(m.bounce.Category, refusal.Category(e))
	switch hard := i.Text("hard_bounce"); {
	case isTrue(hard):
		e.Bounce.Type = event.Hard
	case wire.EventName(e.Reason) == "greylisted":
		e.Type, e.Bounce = event.Deferred, event.Bounce{}
	case hard != "":
		e.Bounce.Type = event.Soft
	case known:
		e.Bounce.Type = m.bounce.Type
	default:
		e.Bounce.Type = refusal.Classify(e).Type
	}
}

// isTrue reports whether a text stands for true, as it does in JSON or as a number.
func isTrue(text string) bool { return wire.EventName(text) == "true" || text == "1" }

// blocked reads that Mailjet did not send a message.
func (i *item) blocked(e *event.Event) {
	switch m, known := i.failure(e); {
	case !known:
		e.Reject.Reason = event.OtherReason
	case m.reject == "":
		e.Type = event.Failed
	default:
		e.Reject.Reason = m.reject
	}
}

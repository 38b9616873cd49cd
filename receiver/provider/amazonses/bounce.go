package amazonses

import (
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// bounced reads what Amazon SES gave up for a recipient. A recipient of its suppression lists was never tried.
func bounced(e *event.Event, n *notice, one wire.Object) {
	e.ProviderEventID = wire.First(n.about.Text("feedbackId"), e.ProviderEventID)
	e.Reason = n.about.Text("bounceSubType")
	wire.KeepDetails(e, n.about, "bounceType", "reportingMTA", "remoteMtaIp")
	wire.KeepDetails(e, one, "action")
	reply(e, one)
	subtype := wire.EventName(e.Reason)
	if subtype == "suppressed" || subtype == onSuppressionList {
		e.Type, e.Reject.Reason = event.Rejected, event.SuppressedBounce
		return
	}
	e.Type = event.Bounced
	e.Bounce = event.Bounce{Type: bounceType(n.about.Text("bounceType")), Category: category(subtype)}
}

// onSuppressionList is the name, as names are compared, of the subtype of bounces and complaints for recipients of the account's list.
const onSuppressionList = "onaccountsuppressionlist"

// reply reads the words of the recipient's server.
func reply(e *event.Event, one wire.Object) {
	e.Diagnostic = one.Text("diagnosticCode")
	e.SMTPCode, e.EnhancedCode = wire.SMTPReply(e.Diagnostic)
	e.EnhancedCode = wire.First(wire.EnhancedCode(one.Text("status")), e.EnhancedCode)
}

func bounceType(text string) event.BounceType {
	switch wire.EventName(text) {
	case "permanent":
		return event.Hard
	case "transient":
		return event.Soft
	default:
		return event.Undetermined
	}
}

func category(subtype string) string {
	switch subtype {
	case "noemail":
		return event.CategoryUserUnknown
	case "mailboxfull":
		return event.CategoryMailboxFull
	case "messagetoolarge", "contentrejected", "attachmentrejected":
		return event.CategoryContent
	default:
		return event.CategoryOther
	}
}

// complained reads a complaint. Where the recipient's provider does not say who complained, the list has all recipients of its domain.
func complained(e *event.Event, n *notice, _ wire.Object) {
	e.ProviderEventID = wire.First(n.about.Text("feedbackId"), e.ProviderEventID)
	e.Complaint.FeedbackType = n.about.Text("complaintFeedbackType")
	e.Reason = n.about.Text("complaintSubType")
	// The user agent is that of who reported it, not of who read the message.
	wire.KeepDetails(e, n.about, "userAgent", "arrivalDate")
	switch {
	case wire.EventName(e.Reason) == onSuppressionList:
		e.Type, e.Reject.Reason = event.Rejected, event.SuppressedComplaint
	case wire.EventName(e.Complaint.FeedbackType) == "not_spam":
		e.Type = event.Uncomplained
	default:
		e.Type = event.Complained
	}
}

// deferred reads a delay, after which Amazon SES tries again.
func deferred(e *event.Event, n *notice, one wire.Object) {
	e.Type = event.Deferred
	e.Reason = n.about.Text("delayType")
	reply(e, one)
	wire.KeepDetails(e, n.about, "expirationTime", "reportingMTA")
}

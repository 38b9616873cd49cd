package azurecommunicationservices

import (
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/refusal"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// delivery reads a delivery report by its status.
func (n *envelope) delivery(e *event.Event) {
	n.message(e)
	details := n.data.Object("deliveryStatusDetails")
	e.Diagnostic = details.Text("statusMessage")
	e.SMTPCode, e.EnhancedCode = wire.SMTPReply(e.Diagnostic)
	wire.KeepDetails(e, n.data, "status")
	wire.KeepDetails(e, details, "recipientMailServerHostName")
	switch wire.EventName(n.data.Text("status")) {
	case "delivered", "expanded": // the latter to a distribution group
		e.Type = event.Delivered
	case "bounced":
		refused(e, event.Hard)
	case "failed":
		e.Type = event.Failed
		if e.SMTPCode != 0 {
			refused(e, event.Undetermined)
		}
	case "suppressed":
		e.Type, e.Reject.Reason = event.Rejected, event.SuppressedBounce
	case "quarantined", "filteredspam":
		e.Type = event.Bounced
		e.Bounce = event.Bounce{Type: event.Undetermined, Category: event.CategorySpam}
	case "":
		e.Type = event.Unknown
	default: // "any value other than Delivered is considered failed"
		refused(e, event.Undetermined)
	}
}

// refused makes an event a bounce of the type that the server's reply tells, or else of another.
func refused(e *event.Event, otherwise event.BounceType) {
	e.Type = event.Bounced
	e.Bounce = refusal.Classify(e)
	if e.Bounce.Type == event.Undetermined {
		e.Bounce.Type = otherwise
	}
}

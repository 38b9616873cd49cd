package amazonses

import (
	"strings"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// kind is one of the events that Amazon SES documents.
type kind struct {
	// object is the member that says more of it; list that of the object which has the recipients that the event is about, as objects
	// or as texts. Without a list it is about the whole message.
	object, list string
	objects      bool
	// inbound says that the message came in.
	inbound bool
	// convert sets what is the event's own. One is the element of the list.
	convert func(e *event.Event, n *notice, one wire.Object)
}

// kindOf returns the kind of an event by its name: the eventType of event publishing, the notificationType of feedback notifications and
// of received mail, or what EventBridge calls what is about no message.
func kindOf(name string) kind {
	switch wire.EventName(name) {
	case "send":
		return kind{object: "send", convert: accepted}
	case "delivery":
		return kind{object: "delivery", list: "recipients", convert: delivered}
	case "deliverydelay":
		return kind{object: "deliveryDelay", list: "delayedRecipients", objects: true, convert: deferred}
	case "bounce":
		return kind{object: "bounce", list: "bouncedRecipients", objects: true, convert: bounced}
	case "complaint":
		return kind{object: "complaint", list: "complainedRecipients", objects: true, convert: complained}
	default:
		return otherKind(name)
	}
}

// otherKind returns the kinds of which there is one event for the whole message.
func otherKind(name string) kind {
	switch wire.EventName(name) {
	case "reject":
		return kind{object: "reject", convert: rejected}
	case "rendering_failure":
		return kind{object: "failure", convert: failed}
	case "open":
		return kind{object: "open", convert: opened}
	case "click":
		return kind{object: "click", convert: clicked}
	case "subscription":
		return kind{object: "subscription", convert: subscription}
	case "received":
		return kind{object: "receipt", inbound: true, convert: received}
	case "amazonsnssubscriptionsucceeded":
		return kind{convert: subscribed}
	case "sending_status_enabled", "sending_status_disabled":
		return kind{convert: status}
	default:
		return kind{convert: unknown}
	}
}

func accepted(e *event.Event, _ *notice, _ wire.Object) { e.Type = event.Accepted }

func unknown(e *event.Event, _ *notice, _ wire.Object) { e.Type = event.Unknown }

func status(e *event.Event, _ *notice, _ wire.Object) { e.Type = event.AccountStatusChanged }

// subscribed reads what a topic is told when it becomes that of an identity's notifications.
func subscribed(e *event.Event, n *notice, _ wire.Object) {
	e.Type = event.Test
	e.Reason = n.content.Text("message")
}

func delivered(e *event.Event, n *notice, _ wire.Object) {
	e.Type = event.Delivered
	e.Diagnostic = n.about.Text("smtpResponse")
	e.SMTPCode, e.EnhancedCode = wire.SMTPReply(e.Diagnostic)
	wire.KeepDetails(e, n.about, "processingTimeMillis", "reportingMTA", "remoteMtaIp")
}

func rejected(e *event.Event, n *notice, _ wire.Object) {
	e.Type, e.Reject.Reason = event.Rejected, event.PolicyViolation
	e.Reason = n.about.Text("reason")
}

func failed(e *event.Event, n *notice, _ wire.Object) {
	e.Type = event.Failed
	e.Reason = n.about.Text("errorMessage")
	wire.KeepDetails(e, n.about, "templateName")
}

func opened(e *event.Event, n *notice, _ wire.Object) {
	e.Type = event.Opened
	e.IP, e.UserAgent = n.about.Text("ipAddress"), n.about.Text("userAgent")
}

// clicked reads a click. What the sender attached to the link, and not to the message, is his as well.
func clicked(e *event.Event, n *notice, one wire.Object) {
	opened(e, n, one)
	e.Type = event.Clicked
	e.URL = n.about.Text("link")
	tags := n.about.Object("linkTags")
	for name := range tags.Members() {
		wire.SetMetadata(e, name, strings.Join(tags.Texts(name), ","))
	}
}

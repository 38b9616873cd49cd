package webexconnect

import (
	"strings"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// inbound is a flat event of an email app. The content of the message stays in the raw event.
type inbound struct{ wire.Object }

// The names of the inbound events as [wire.EventName] returns them; Data Streams call the first one "Inbound Message" and put the name
// into event_identifier.
const (
	incomingMessage = "mo"
	unsubscribe     = "unsubscribe"
	subscribe       = "subscribe"
)

func (in inbound) convert(e *event.Event) {
	e.ProviderEvent = in.Text("event")
	e.CorrelationID = in.Text("correlationId")
	e.ProviderEventID = in.transaction()
	wire.KeepDetails(e, in.Object, "appId")
	switch name := wire.EventName(e.ProviderEvent); {
	case name == incomingMessage || wire.EventName(in.Text("event_identifier")) == incomingMessage:
		in.message(e)
	case name == unsubscribe:
		in.preference(e, event.Unsubscribed)
	case name == subscribe:
		in.preference(e, event.Resubscribed)
	default:
		e.Type = event.Unknown
	}
}

// message reads an incoming message. Its message id is the platform's own, not the Message-ID of the mail.
func (in inbound) message(e *event.Event) {
	e.Type = event.Received
	e.Sender = in.from()
	wire.SetRecipients(e, in.Addresses("to"))
	e.Subject = in.Text("subject")
	e.ProviderMessageID = in.Text("messageId")
	wire.KeepDetails(e, in.Object, "returnPath")
}

// preference reads an unsubscription or a subscription: the contact wrote in or clicked, so the contact is from.
func (in inbound) preference(e *event.Event, t event.Type) {
	e.Type = t
	e.Recipient = in.from()
	e.Sender = in.Address("senderId")
}

func (in inbound) transaction() string { return wire.First(in.Text("tid"), in.Text("transid")) }

// from returns the address of who wrote or clicked.
func (in inbound) from() string {
	if text := in.Text("from"); text != "" {
		return wire.Address(unbracket(text))
	}
	return in.Address("from")
}

// unbracket takes off one pair of brackets; the platform sends "[a@example.com]" for incoming messages.
func unbracket(address string) string {
	address = strings.TrimSpace(address)
	if strings.HasPrefix(address, "[") && strings.HasSuffix(address, "]") {
		return address[1 : len(address)-1]
	}
	return address
}

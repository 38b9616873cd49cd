package webexconnect

import (
	"strings"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// inbound is a flat event of an email app. The content of the message stays in the raw event.
type inbound struct {
	Event           wire.Text  `json:"event"`
	EventIdentifier wire.Text  `json:"event_identifier"`
	From            wire.Text  `json:"from"`
	To              wire.Texts `json:"to"`
	TS              wire.Text  `json:"ts"`
	Subject         wire.Text  `json:"subject"`
	MessageID       wire.Text  `json:"messageId"`
	ReturnPath      wire.Text  `json:"returnPath"`
	TID             wire.Text  `json:"tid"`
	TransactionID   wire.Text  `json:"transid"`
	AppID           wire.Text  `json:"appId"`
	SenderID        wire.Text  `json:"senderId"`
	CorrelationID   wire.Text  `json:"correlationId"`
}

// The names of the inbound events; Data Streams call the first one "Inbound Message" and put the name into event_identifier.
const (
	incomingMessage = "MO"
	unsubscribe     = "Unsubscribe"
	subscribe       = "Subscribe"
)

func (in *inbound) convert(e event.Event) stamped {
	e.ProviderEvent = in.Event.String()
	e.CorrelationID = in.CorrelationID.String()
	e.ProviderEventID = wire.First(in.TID, in.TransactionID)
	wire.SetMetadata(&e, "appId", in.AppID)
	switch {
	case in.Event == incomingMessage || in.EventIdentifier == incomingMessage:
		in.message(&e)
	case in.Event == unsubscribe:
		in.preference(&e, event.Unsubscribed)
	case in.Event == subscribe:
		in.preference(&e, event.Resubscribed)
	default:
		e.Type = event.Unknown
	}
	e.ID = in.id(e.Type, e.Raw)
	return stamped{Event: e, stamp: wire.DateTime(in.TS)}
}

// message reads an incoming message. Its message id is the platform's own, not the Message-ID of the mail.
func (in *inbound) message(e *event.Event) {
	e.Type = event.Received
	e.Sender = unbracket(in.From.String())
	e.Recipients = in.To
	if len(in.To) == 1 {
		e.Recipient = in.To[0]
	}
	e.Subject = in.Subject.String()
	e.ProviderMessageID = in.MessageID.String()
	wire.SetMetadata(e, "returnPath", in.ReturnPath)
}

// preference reads an unsubscription or a subscription: the contact wrote in or clicked, so the contact is from.
func (in *inbound) preference(e *event.Event, t event.Type) {
	e.Type = t
	e.Recipient = unbracket(in.From.String())
	e.Sender = in.SenderID.String()
}

func (in *inbound) id(t event.Type, raw []byte) string {
	transaction := wire.First(in.TID, in.TransactionID)
	if transaction == "" || t == event.Unknown {
		return wire.Opaque(raw)
	}
	messageID := ""
	if t == event.Received {
		messageID = in.MessageID.String()
	}
	return event.HashID("inbound", transaction, in.Event.String(), in.TS.String(), messageID)
}

// unbracket takes off one pair of brackets; the platform sends "[a@example.com]" for incoming messages.
func unbracket(address string) string {
	address = strings.TrimSpace(address)
	if strings.HasPrefix(address, "[") && strings.HasSuffix(address, "]") {
		return address[1 : len(address)-1]
	}
	return address
}

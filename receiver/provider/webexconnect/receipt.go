package webexconnect

import (
	"strings"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// receipt is a delivery receipt, the member deliveryInfoNotification.
type receipt struct {
	wire.Object
	info wire.Object // its deliveryInfo
}

// name says what happened; a receipt without is none.
func (r *receipt) name() string {
	return wire.First(r.info.Text("deliveryStatus"), r.info.Text("code"))
}

func (r *receipt) convert(e *event.Event) {
	e.ProviderEvent = r.name()
	if addresses := r.info.Addresses("destination"); len(addresses) == 1 {
		e.Recipient = addresses[0]
	} else {
		e.Recipients = addresses
	}
	e.ProviderMessageID = messageOf(r.Text("transid"))
	e.CorrelationID = r.Text("correlationid")
	wire.KeepDetails(e, r.info, "code")
	wire.KeepMembers(e, r.Object, "callbackData")
	wire.KeepDetails(e, r.Object, "subtid")
	classify(e, r.info)
}

// messageOf returns the transaction that all receipts of a message share: without the "_0" that the platform appends for some.
func messageOf(transaction string) string {
	before := strings.TrimRight(transaction, "0123456789")
	if message, ok := strings.CutSuffix(before, "_"); ok && message != "" && before != transaction {
		return message
	}
	return transaction
}

// id rests on all that the platform says, but for the letter case of the destination: nothing identifies a receipt, and two of one
// message, recipient and millisecond may differ in any member, such as the reason of a bounce or the user agent of a click.
func (r *receipt) id(item *wire.Item) string {
	destination := r.info.Text("destination")
	if destination == "" {
		return item.Identity()
	}
	return event.HashID(item.Identity(wire.Member{Object: r.info, Name: "destination"}), strings.ToLower(destination))
}

// classify sets the type and what goes with it. The status decides; the code only where there is no status, because
// platforms have been seen to send one code with several statuses.
func classify(e *event.Event, info wire.Object) {
	status := wire.EventName(info.Text("deliveryStatus"))
	if status == "" {
		status = statusOfCode(info.Text("code"))
	}
	switch status {
	case "submitted":
		e.Type = event.Sent
	case "delivered":
		e.Type = event.Delivered
	case "read":
		e.Type = event.Opened
	case "clicked":
		click(e, info)
	case "bounce", "bounced":
		bounce(e, info)
	case "complaint", "complained":
		complaint(e, info)
	case "not_verified":
		reject(e, info, event.UnverifiedAddress)
	case "failed":
		fail(e, info)
	default:
		e.Type = event.Unknown
	}
}

// statusOfCode names the status that the provider's table of codes gives to a code.
func statusOfCode(code string) string {
	switch code {
	case "7501":
		return "submitted"
	case "7500":
		return "delivered"
	case "7502":
		return "read"
	case "7528":
		return "clicked"
	case "7520":
		return "bounce"
	case "7521":
		return "complaint"
	case "7522":
		return "not_verified"
	case "7523", "7524", "7535", "7536", "7240", "7241", "7553", "7554", "9002":
		return "failed"
	default:
		return ""
	}
}

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
	e.Recipient = r.info.Text("destination")
	e.ProviderMessageID = r.Text("transid")
	e.CorrelationID = r.Text("correlationid")
	wire.KeepMembers(e, r.info, "code")
	wire.KeepMembers(e, r.Object, "callbackData", "subtid")
	classify(e, r.info)
	e.ID = r.id(e.Type, e.Raw)
}

// id rests on what identifies a receipt. A click's description is its link: one message may have many.
func (r *receipt) id(t event.Type, raw []byte) string {
	if r.Text("transid") == "" || t == event.Unknown {
		return wire.Opaque(raw)
	}
	link := ""
	if t == event.Clicked {
		link = r.info.Text("Description")
	}
	if r.info.Text("destination") == "" {
		link = event.HashID(r.info.Text("Description"), r.info.Text("additionalInfo"))
	}
	return event.HashID("receipt", r.Text("transid"), r.Text("subtid"), strings.ToLower(r.info.Text("destination")),
		r.info.Text("code"), r.info.Text("deliveryStatus"), r.info.Text("timeStamp"), link)
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

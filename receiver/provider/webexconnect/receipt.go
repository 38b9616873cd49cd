package webexconnect

import (
	"strings"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// receipt is a delivery receipt, the member deliveryInfoNotification.
type receipt struct {
	Info          wire.Object[deliveryInfo] `json:"deliveryInfo"`
	CorrelationID wire.Text                 `json:"correlationid"`
	CallbackData  wire.Text                 `json:"callbackData"`
	TransactionID wire.Text                 `json:"transid"`
	SubTransID    wire.Text                 `json:"subtid"`
}

type deliveryInfo struct {
	Description    wire.Text `json:"Description"`
	TimeStamp      wire.Text `json:"timeStamp"`
	Code           wire.Text `json:"code"`
	DeliveryStatus wire.Text `json:"deliveryStatus"`
	Destination    wire.Text `json:"destination"`
	AdditionalInfo wire.Text `json:"additionalInfo"`
}

// named says whether the receipt says what happened.
func (r *receipt) named() bool {
	return r.Info.Value.DeliveryStatus != "" || r.Info.Value.Code != ""
}

func (r *receipt) convert(e event.Event) stamped {
	info := &r.Info.Value
	e.ProviderEvent = wire.First(info.DeliveryStatus, info.Code)
	e.Recipient = info.Destination.String()
	e.ProviderMessageID = r.TransactionID.String()
	e.CorrelationID = r.CorrelationID.String()
	wire.SetMetadata(&e, "code", info.Code)
	wire.SetMetadata(&e, "callbackData", r.CallbackData)
	wire.SetMetadata(&e, "subtid", r.SubTransID)
	classify(&e, info)
	e.ID = r.id(e.Type, e.Raw)
	return stamped{Event: e, stamp: wire.DateTime(info.TimeStamp)}
}

// id rests on what identifies a receipt. A click's description is its link: one message may have many.
func (r *receipt) id(t event.Type, raw []byte) string {
	if r.TransactionID == "" || t == event.Unknown {
		return wire.Opaque(raw)
	}
	info := &r.Info.Value
	link := ""
	if t == event.Clicked {
		link = info.Description.String()
	}
	return event.HashID("receipt", r.TransactionID.String(), r.SubTransID.String(),
		strings.ToLower(info.Destination.String()), info.Code.String(), info.DeliveryStatus.String(),
		info.TimeStamp.String(), link)
}

// classify sets the type and what goes with it. The status decides; the code only where there is no status, because
// platforms have been seen to send one code with several statuses.
func classify(e *event.Event, info *deliveryInfo) {
	status := strings.ToLower(strings.TrimSpace(info.DeliveryStatus.String()))
	if status == "" {
		status = statusOfCode(info.Code.String())
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
	case "not verified":
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
		return "not verified"
	case "7523", "7524", "7535", "7536", "7240", "7241", "7553", "7554", "9002":
		return "failed"
	default:
		return ""
	}
}

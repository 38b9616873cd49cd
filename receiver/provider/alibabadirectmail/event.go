package alibabadirectmail

import (
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/refusal"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// convert sets the type of an event, and what became of a message that was not delivered.
func convert(e *event.Event, data wire.Object) {
	switch wire.EventName(e.ProviderEvent) {
	case "dm:deliver:succeed":
		e.Type = event.Delivered
	case "dm:deliver:fail":
		failed(e, data)
	case "dm:feedback:fblreport":
		e.Type = event.Complained
	case "dm:feedback:unsubscribe":
		e.Type = event.Unsubscribed
	case "dm:feedback:subscribe":
		e.Type = event.Resubscribed
	case "dm:trace:open":
		e.Type = event.Opened
	case "dm:trace:click":
		e.Type = event.Clicked
	default: // such as dm:Validator:GrayListResult, which is about an address and no message
		e.Type = event.Unknown
	}
}

// failed reads why a message was not delivered: DirectMail may not have tried.
func failed(e *event.Event, data wire.Object) {
	words := data.Text("err_msg")
	if reason := suppression(wire.EventName(data.Text("failed_type"))); reason != "" {
		e.Type, e.Reject.Reason, e.Reason = event.Rejected, reason, words
		return
	}
	e.Type, e.Diagnostic = event.Bounced, words
	e.SMTPCode, e.EnhancedCode = wire.SMTPReply(words)
	if e.SMTPCode == 0 {
		e.SMTPCode = wire.SMTPCode(data.Text("err_code"))
	}
	e.Bounce = bounce(wire.EventName(data.Text("failed_type")), data.Text("status"), e)
}

// suppression returns why DirectMail itself sent nothing, by the class of an error; "" when it tried.
func suppression(class string) event.RejectReason {
	switch class {
	case "sysoutrcptonaccountlevelbouncelist":
		return event.SuppressedBounce
	case "sysoutrecipientreportedspam":
		return event.SuppressedComplaint
	case "sysoutrecipientunsubscribed":
		return event.UnsubscribedAddress
	default:
		return ""
	}
}

// bounce classifies a refusal: by the class of its error, else by the status of a delivery (API SenderStatisticsDetailByParam: 0 delivered,
// 2 invalid address, 3 spam, 4 other failures), else by the server's reply.
func bounce(class, status string, e *event.Event) event.Bounce {
	switch {
	case class == "smtpnxbox", status == "2":
		return event.Bounce{Type: event.Hard, Category: event.CategoryUserUnknown}
	case status == "3":
		return event.Bounce{Type: event.Soft, Category: event.CategorySpam}
	default:
		return event.Bounce{Type: refusal.Classify(e).Type, Category: refusal.Category(e)}
	}
}

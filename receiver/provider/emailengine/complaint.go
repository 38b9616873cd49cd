package emailengine

import (
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// messageComplaint: a feedback loop report came in. What it holds depends on who reports; the Message-ID may be missing.
func messageComplaint(e *event.Event, n notice) {
	// The feedback report (RFC 5965), and the headers of the message that was complained about.
	report, headers := n.data.Object("arf"), n.data.Object("headers")
	e.Type = event.Complained
	e.Recipients = headers.Texts("to")
	e.Recipient = firstAddress(report.Texts("originalRcptTo"), e.Recipients)
	e.Sender = wire.First(headers.Text("from"), report.Text("originalMailFrom"))
	e.Subject = headers.Text("subject")
	e.MessageID = wire.MessageID(headers.Text("messageId"))
	e.Complaint.FeedbackType = report.Text("feedbackType")
	e.IP = report.Text("sourceIp")
	// The reporter's user agent is the program that wrote the report (RFC 5965 section 3.1), not the recipient's.
	wire.SetDetail(e, "reportUserAgent", report.Text("userAgent"))
	wire.KeepDetails(e, n.data, "complaintMessage")
	wire.KeepDetails(e, report, "source", "abuseType", "arrivalDate", "reportingMta")
}

func firstAddress(lists ...[]string) string {
	for _, list := range lists {
		if len(list) > 0 {
			return list[0]
		}
	}
	return ""
}

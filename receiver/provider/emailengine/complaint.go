package emailengine

import (
	"strings"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// messageComplaint: a feedback loop report came in. What it holds depends on who reports; the Message-ID may be missing.
func messageComplaint(e *event.Event, n notice) {
	// The feedback report (RFC 5965), and the headers of the message that it is about.
	report, headers := n.data.Object("arf"), n.data.Object("headers")
	e.Complaint.FeedbackType = report.Text("feedbackType")
	e.Type = event.Complained
	if strings.EqualFold(e.Complaint.FeedbackType, "not-spam") { // RFC 6430
		e.Type = event.Uncomplained
	}
	wire.SetRecipients(e, headers.Addresses("to"), headers.Addresses("cc"))
	e.Recipient = wire.First(firstOf(report.Addresses("originalRcptTo")), firstOf(report.Addresses("removalRecipient")), firstOf(e.Recipients))
	e.Sender = wire.First(headers.Address("from"), report.Address("originalMailFrom"))
	e.Subject = headers.Text("subject")
	e.MessageID = wire.MessageID(headers.Text("messageId"))
	e.IP = report.Text("sourceIp")
	// The reporter's user agent is the program that wrote the report (RFC 5965 section 3.1), not the recipient's.
	wire.SetDetail(e, "reportUserAgent", report.Text("userAgent"))
	wire.SetDetail(e, "reportingMta", wire.WithoutType(report.Text("reportingMta")))
	wire.KeepDetails(e, n.data, "complaintMessage")
	wire.KeepDetails(e, report, "source", "abuseType", "arrivalDate", "version", "incidents")
	wire.KeepDetails(e, headers, "date")
	for _, name := range []string{"authenticationResults", "reportedDomain", "reportedUri"} {
		wire.SetDetailList(e, name, report.Texts(name))
	}
	for _, name := range []string{"originalRcptTo", "removalRecipient"} {
		wire.SetDetailList(e, name, report.Addresses(name))
	}
}

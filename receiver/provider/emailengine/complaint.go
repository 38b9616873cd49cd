package emailengine

import (
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

type complaint struct {
	ComplaintMessage wire.Text                     `json:"complaintMessage"`
	ARF              wire.Object[arf]              `json:"arf"`
	Headers          wire.Object[complaintHeaders] `json:"headers"`
}

// arf is the feedback report (RFC 5965).
type arf struct {
	Source           wire.Text  `json:"source"`
	FeedbackType     wire.Text  `json:"feedbackType"`
	AbuseType        wire.Text  `json:"abuseType"`
	OriginalMailFrom wire.Text  `json:"originalMailFrom"`
	OriginalRcptTo   wire.Texts `json:"originalRcptTo"`
	SourceIP         wire.Text  `json:"sourceIp"`
	ArrivalDate      wire.Text  `json:"arrivalDate"`
	UserAgent        wire.Text  `json:"userAgent"`
	ReportingMTA     wire.Text  `json:"reportingMta"`
}

// complaintHeaders are the headers of the message that was complained about.
type complaintHeaders struct {
	MessageID wire.Text  `json:"messageId"`
	From      wire.Text  `json:"from"`
	To        wire.Texts `json:"to"`
	Subject   wire.Text  `json:"subject"`
}

// messageComplaint: a feedback loop report came in. What it holds depends on who reports; the Message-ID may be missing.
func messageComplaint(e *event.Event, n *notice) {
	c := dataOf[complaint](n)
	report, headers := &c.ARF.Value, &c.Headers.Value
	e.Type = event.Complained
	e.Recipient = firstAddress(report.OriginalRcptTo, headers.To)
	e.Recipients = headers.To
	e.Sender = wire.First(headers.From, report.OriginalMailFrom)
	e.Subject = headers.Subject.String()
	e.MessageID = wire.MessageID(headers.MessageID)
	e.Complaint.FeedbackType = report.FeedbackType.String()
	e.IP = report.SourceIP.String()
	// The reporter's user agent is the program that wrote the report (RFC 5965 section 3.1), not the recipient's.
	wire.SetMetadata(e, "reportUserAgent", report.UserAgent)
	wire.SetMetadata(e, "complaintMessage", c.ComplaintMessage)
	wire.SetMetadata(e, "source", report.Source)
	wire.SetMetadata(e, "abuseType", report.AbuseType)
	wire.SetMetadata(e, "arrivalDate", report.ArrivalDate)
	wire.SetMetadata(e, "reportingMta", report.ReportingMTA)
}

func firstAddress(lists ...wire.Texts) string {
	for _, list := range lists {
		if len(list) > 0 {
			return list[0]
		}
	}
	return ""
}

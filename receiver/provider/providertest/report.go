package providertest

import (
	"bytes"
	"testing"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
)

// ReportMail is a mail that came in and is a report on another one, which did not reach b@example.org.
const ReportMail = "From: MAILER-DAEMON@example.com\r\nTo: a@example.com\r\nMessage-ID: <report@example.com>\r\nMIME-Version: 1.0\r\n" +
	"Content-Type: multipart/report; report-type=delivery-status; boundary=parts\r\n\r\n--parts\r\nContent-Type: text/plain\r\n\r\nI'm sorry.\r\n" +
	"--parts\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; out.example.com\r\n\r\nFinal-Recipient: rfc822; b@example.org\r\nAction: failed\r\nStatus: 5.1.1\r\n" +
	"--parts\r\nContent-Type: text/rfc822-headers\r\n\r\nFrom: a@example.com\r\nMessage-ID: <original@example.com>\r\nTo: b@example.org\r\n--parts--\r\n"

// CheckReport fails unless a request with [ReportMail] became the mail and, beside it, the bounce that it reports.
func CheckReport(t testing.TB, b *provider.Batch) {
	t.Helper()
	if len(b.Events) != 2 || len(b.Undecodable) != 0 {
		t.Fatalf("%d events, %d undecodable; want the mail and the bounce", len(b.Events), len(b.Undecodable))
	}
	mail, bounce := &b.Events[0], &b.Events[1]
	if mail.Type != event.Received || mail.MessageID != "report@example.com" {
		t.Errorf("the mail: %s, message id %s", mail.Type, mail.MessageID)
	}
	if bounce.Type != event.Bounced || bounce.Bounce.Type != event.Hard || bounce.Recipient != "b@example.org" || bounce.MessageID != "original@example.com" || bounce.Mail != nil {
		t.Errorf("the bounce: %s %s of %s, message id %s", bounce.Type, bounce.Bounce.Type, bounce.Recipient, bounce.MessageID)
	}
	if bounce.ID == mail.ID || bounce.ID == "" || !bytes.Equal(bounce.Raw, mail.Raw) || bounce.Details["reportMessageId"] != "report@example.com" {
		t.Errorf("ids %s and %s, details %v", mail.ID, bounce.ID, bounce.Details)
	}
}

package amazonses_test

import (
	"encoding/base64"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

// TestReceived shows what is read of mails in odd forms. A mail that cannot be read is one that came in.
func TestReceived(t *testing.T) {
	t.Parallel()
	const mime = "From: a@example.com\r\nSubject: Hi\r\nMessage-ID: <x@example.com>\r\n\r\nhello"
	headers := `{"from": ["A <a@example.com>"], "to": ["b@example.com, c@example.com"], "date": "Fri, 2 Jan 2026 03:03:58 +0000", "messageId": "<x@example.com>", "subject": "Hi"}`
	alone := event.Mail{From: []event.Mailbox{{Address: "a@example.com", Name: "A"}}, To: []event.Mailbox{{Address: "b@example.com"}, {Address: "c@example.com"}}}
	read := event.Mail{From: []event.Mailbox{{Address: "a@example.com"}}, Text: "hello"}
	for name, c := range map[string]struct {
		why, action, content string
		want                 event.Mail
	}{
		"UTF8":              {"what pages call it", `"encoding": "UTF8"`, mime, read},
		"no encoding":       {"older notifications", `"x": 1`, mime, read},
		"BASE64":            {"what pages call it", `"encoding": "BASE64"`, base64.StdEncoding.EncodeToString([]byte(mime)), read},
		"Base64":            {"in other letters", `"encoding": "Base64"`, base64.StdEncoding.EncodeToString([]byte(mime)), read},
		"no base64":         {"the headers say what they can", `"encoding": "BASE64"`, "*", alone},
		"no content":        {"the action is another", `"x": 1`, "", alone},
		"no mail":           {"a header that is none", `"x": 1`, "\x01", alone},
		"a multipart's end": {"it is missing", `"x": 1`, "From: a@example.com\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhello", read},
	} {
		e := decodeOne(t, notification(`{"notificationType": "Received", "receipt": {"recipients": ["b@example.com"], "action": {"type": "SNS", `+c.action+`}},
			"mail": {"source": "", "messageId": "m", "commonHeaders": `+headers+`}, "content": `+quote(c.content)+`}`))
		got := *e.Mail
		got.Envelope, got.Date = event.MailEnvelope{}, c.want.Date
		if diff := cmp.Diff(c.want, got); diff != "" || e.Type != event.Received || e.Recipient != "b@example.com" || e.MessageID != "x@example.com" || e.Subject != "Hi" {
			t.Errorf("%s, %s: %+v\n%s", name, c.why, e, diff)
		}
	}
}

// TestReports has a mail that came in and is a report on another one.
func TestReports(t *testing.T) {
	t.Parallel()
	b := decode(t, notification(`{"notificationType": "Received", "receipt": {"recipients": ["a@example.com"], "action": {"type": "SNS"}},
		"mail": {"messageId": "m"}, "content": `+quote(providertest.ReportMail)+`}`))
	providertest.CheckReport(t, &b)
}

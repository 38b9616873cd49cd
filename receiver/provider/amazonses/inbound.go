package amazonses

import (
	"encoding/base64"
	"strings"
	"time"

	"github.com/mailvane/mailvane/receiver/body/mime"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// received reads a mail that came in: the mail itself where the action of the rule is SNS, else its headers.
func received(e *event.Event, n *notice, _ wire.Object) {
	e.Type = event.Received
	mail := n.content.Object("mail")
	common := mail.Object("commonHeaders")
	recipients := n.about.Addresses("recipients")
	wire.SetRecipients(e, recipients)
	m := n.mail(e, common)
	e.Mail = &m.Mail
	e.Mail.Envelope = event.MailEnvelope{From: e.Sender, To: e.Recipients}
	e.Mail.Spam = event.Spam{Verdict: n.verdict("spamVerdict"), Virus: n.verdict("virusVerdict")}
	e.Mail.Authentication = event.Authentication{
		SPF: result(n.verdict("spfVerdict")), DKIM: result(n.verdict("dkimVerdict")), DMARC: result(n.verdict("dmarcVerdict")),
	}
	action := n.about.Object("action")
	wire.SetDetail(e, "action", action.Text("type"))
	wire.KeepDetails(e, n.about, "processingTimeMillis", "dmarcPolicy")
	wire.KeepDetails(e, action,
		"topicArn", "bucketName", "objectKeyPrefix", "objectKey", "functionArn", "invocationType", "organizationArn",
		"smtpReplyCode", "statusCode", "message", "sender")
	n.reports = m.Reports(e, new(mime.ReportBudget))
}

// mail reads the content of a mail. Where there is none that can be read, the headers that Amazon SES found say what they can.
func (n *notice) mail(e *event.Event, common wire.Object) mime.Message {
	content := n.content.Text("content")
	if strings.EqualFold(n.about.Object("action").Text("encoding"), "BASE64") {
		decoded, err := base64.StdEncoding.DecodeString(content)
		if err != nil {
			decoded = nil
		}
		content = string(decoded)
	}
	m, err := mime.Parse([]byte(content))
	e.Truncated = e.Truncated || m.Truncated || err != nil && m.Header != nil
	if m.Header == nil {
		return headersAlone(common)
	}
	e.MessageID = wire.First(e.MessageID, m.MessageID)
	e.Subject = wire.First(e.Subject, m.Subject)
	return m
}

func headersAlone(common wire.Object) (m mime.Message) {
	m.Mail = event.Mail{From: mailboxes(common, "from"), To: mailboxes(common, "to"), Cc: mailboxes(common, "cc"), ReplyTo: mailboxes(common, "replyTo")}
	if at, ok := wire.DateTime(common.Text("date")).Time(); ok {
		m.Date = at.Truncate(time.Second)
	}
	return m
}

func mailboxes(common wire.Object, name string) []event.Mailbox {
	var boxes []event.Mailbox
	for _, text := range common.Texts(name) { // one may hold several
		boxes = append(boxes, mime.Mailboxes(text)...)
	}
	return boxes
}

// verdict returns the word of one of the checks, in lower case.
func (n *notice) verdict(name string) string {
	return strings.ToLower(n.about.Object(name).Text("status"))
}

// result returns the word of RFC 8601 section 2.7 for a verdict: gray is that the sender's domain has no policy or the mail no signature.
func result(verdict string) string {
	switch verdict {
	case "gray":
		return "none"
	case "processing_failed":
		return "temperror"
	case "disabled":
		return ""
	default:
		return verdict
	}
}

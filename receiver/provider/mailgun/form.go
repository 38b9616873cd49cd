package mailgun

import (
	"slices"
	"strings"

	"github.com/mailvane/mailvane/receiver/body/form"
	"github.com/mailvane/mailvane/receiver/body/mime"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// fields are those of a form. Of several of one name the first counts: what follows it are the sender's variables, or Mailgun's own.
type fields struct{ *form.Form }

// text returns a field; "" = there is none, or it is empty.
func (f fields) text(name string) string {
	for _, value := range f.All(name) {
		return strings.ToValidUTF8(string(value), "\ufffd")
	}
	return ""
}

// inbound is the name of a mail that came in: routes give it none.
const inbound = "inbound"

// decodeForm reads an event of before 2018, or a mail and what it reports.
func decodeForm(r *provider.Request, f fields) ([]event.Event, error) {
	e := event.Event{Provider: Type, ID: f.Identity(), Raw: f.Raw()}
	wire.Seconds(last(f.Form, timestampName)).SetTime(&e, r.ReceivedAt)
	switch {
	case f.text("event") != "":
		f.legacy(&e)
		return []event.Event{e}, nil
	case f.text("recipient") != "" && slices.ContainsFunc(f.Fields, isOfMail):
		received := f.mail(&e)
		reports := received.Reports(&e, new(mime.ReportBudget))
		return append([]event.Event{e}, reports...), nil
	default:
		return nil, errNoMail
	}
}

// isOfMail reports whether a field is one that only a mail has.
func isOfMail(field form.Field) bool {
	switch field.Name {
	case "message-headers", "message-url", "body-mime", "body-plain", "body-html", "from":
		return true
	default:
		return false
	}
}

// legacy reads an event.
func (f fields) legacy(e *event.Event) {
	e.ProviderEvent = f.text("event")
	e.Type = typeOf(e.ProviderEvent)
	header := headerOf(f.text("message-headers"))
	e.Recipient = wire.Address(f.text("recipient"))
	e.Sender = wire.Address(header.Get("From"))
	e.Subject = header.Get("Subject")
	e.MessageID = wire.MessageID(wire.First(f.text("Message-Id"), f.text("message-id"), header.Get("Message-Id")))
	e.URL, e.IP, e.UserAgent = f.text("url"), f.text("ip"), f.text("user-agent")
	e.Client = event.Client{Name: f.text("client-name"), OS: f.text("client-os")}
	for _, name := range []string{"tag", "X-Mailgun-Tag"} {
		for _, tag := range f.All(name) {
			if len(tag) > 0 && len(e.Tags) < maxTags {
				e.Tags = append(e.Tags, strings.ToValidUTF8(string(tag), "\ufffd"))
			}
		}
	}
	f.reply(e)
	f.variables(e, header.Get("X-Mailgun-Variables"))
	switch e.Type {
	case event.Bounced:
		failure{reason: e.Reason, code: f.text("code")}.set(e)
	case event.Rejected:
		e.Reject.Reason = event.OtherReason
	default:
	}
}

// maxTags bounds the tags of one event; Mailgun documents 3, or 10 of late.
const maxTags = 100

// reply reads what a server said.
func (f fields) reply(e *event.Event) {
	e.Reason = f.text("reason")
	e.Diagnostic = strings.TrimSpace(wire.First(f.text("error"), f.text("description"), f.text("notification")))
	code, enhanced := wire.SMTPReply(e.Diagnostic)
	if e.SMTPCode = wire.SMTPCode(f.text("code")); e.SMTPCode == 0 {
		e.SMTPCode = code
	}
	e.EnhancedCode = wire.First(enhanced, wire.EnhancedCode(e.Diagnostic))
}

// variables reads what the sender attached: each variable is a field under its own name, or all are in one header field. What is neither
// known nor a file is one of them.
func (f fields) variables(e *event.Event, header string) {
	object([]byte(header), func(o wire.Object) {
		for name, text := range o.Members() {
			wire.SetMetadata(e, name, text)
		}
	})
	seen := map[string]bool{timestampName: len(f.All(timestampName)) < 2} // the last one is Mailgun's
	for i := range f.Fields {
		field := &f.Fields[i]
		if seen[field.Name] || isRead(field.Name) || isFile(field) {
			continue
		}
		seen[field.Name] = true
		name, text := strings.ToValidUTF8(field.Name, "\ufffd"), f.text(field.Name)
		if isDetail(field.Name) {
			wire.SetDetail(e, name, text)
		} else {
			wire.SetMetadata(e, name, text)
		}
	}
}

// isRead reports whether a field of an event is read into a field of its own.
func isRead(name string) bool {
	switch name {
	case "event", "recipient", "message-headers", "Message-Id", "message-id", "url", "ip", "user-agent", "client-name", "client-os", "tag", "X-Mailgun-Tag", "reason", "error", "body-plain":
		return true
	default:
		return false
	}
}

// isDetail reports whether a field of an event is Mailgun's, and no variable of the sender.
func isDetail(name string) bool {
	switch name {
	case "domain", "code", "description", "notification", "severity", "country", "region", "city", "client-type", "device-type", "mailing-list", "campaign-id", "campaign-name",
		"attachment-count":
		return true
	default:
		return strings.HasPrefix(name, "X-Mailgun-")
	}
}

// isFile reports whether a field is an attachment: "attachment-1" and so on, also where the file has no name.
func isFile(field *form.Field) bool {
	number, found := strings.CutPrefix(field.Name, "attachment-")
	return field.File != "" || found && number != "" && strings.Trim(number, "0123456789") == ""
}

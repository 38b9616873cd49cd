package emailengine

import (
	"bufio"
	"encoding/base64"
	"io"
	"net/textproto"
	"strings"
	"unicode"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// The media types of the parts of a delivery report (RFC 3464 section 2, RFC 6533 section 3).
const (
	deliveryStatus       = "message/delivery-status"
	globalDeliveryStatus = "message/global-delivery-status"
	originalMessage      = "message/rfc822"
	originalHeaders      = "text/rfc822-headers"
)

// maxPartBytes bounds how much of a part of a report is read: its header fields.
const maxPartBytes = 64 << 10

// isReport reports whether a mail is a report on another, which passes for an automatic reply by its headers but is none.
func isReport(n notice) bool {
	if n.data.Text("isBounce") == "true" || n.data.Text("isComplaint") == "true" || n.data.JSON("deliveryReport") != "" {
		return true
	}
	contentType := strings.ToLower(strings.Join(n.data.Object("headers").Texts("content-type"), ";"))
	return strings.Contains(contentType, "multipart/report") || part(n, deliveryStatus, globalDeliveryStatus) != nil
}

// reported returns the event that the delivery report in a mail tells of. EmailEngine tells of failures by messageBounce, which then
// marks the mail, and of delays and deliveries by this report alone.
func reported(mail *event.Event, n notice) (event.Event, bool) {
	report := n.data.Object("deliveryReport")
	action := report.Text("action")
	if !isMail(mail) || action == "" || n.data.Text("isBounce") == "true" {
		return event.Event{}, false
	}
	e := event.Event{
		ID: event.HashID(mail.ID, "deliveryReport"), Provider: mail.Provider, ProviderEvent: mail.ProviderEvent, ProviderEventID: mail.ProviderEventID,
		Account: mail.Account, Time: mail.Time, TimeRaw: mail.TimeRaw, TimeZoneAssumed: mail.TimeZoneAssumed, TimeImplausible: mail.TimeImplausible, Raw: mail.Raw,
	}
	setOriginal(&e, header(n, 1, originalMessage, originalHeaders))
	status := fields{report, header(n, 2, deliveryStatus, globalDeliveryStatus)}
	e.Recipient = wire.First(status.address("finalRecipient"), status.address("originalRecipient"), e.Recipient)
	e.MessageID = wire.First(wire.MessageID(n.data.Text("relatedMessageId")), wire.MessageID(status.text("xOriginalMessageId")), e.MessageID)
	setReply(&e, status.text("status"), status.text("diagnosticCode"))
	setOutcome(&e, action, verdict{status: status.text("status")})
	for _, name := range []string{"action", "arrivalDate", "willRetryUntil"} {
		wire.SetDetail(&e, name, status.text(name))
	}
	wire.SetDetail(&e, "bounceMessage", n.data.Text("id"))
	wire.SetDetail(&e, "mta", wire.First(status.text("remoteMta"), status.text("reportingMta")))
	wire.SetDetail(&e, "reportingMta", status.text("reportingMta"))
	wire.SetDetail(&e, "mtaQueueId", status.text("xPostfixQueueId"))
	wire.KeepDetails(&e, n.Object, "serviceUrl")
	return e, true
}

// isMail reports whether an event is that of a messageNew.
func isMail(e *event.Event) bool {
	return e.Type == event.Received || e.Type == event.Autoresponded || e.Type == event.MailboxMessageCreated
}

// fields are the fields of a report: those that EmailEngine has read, which in version 2.74 are the few that name no type, and those
// of the part itself, which is there with the setting notifyAttachments.
type fields struct {
	report wire.Object
	part   headers
}

// text returns a field without its type, such as the "dns" of a server's name. The name is EmailEngine's.
func (f fields) text(name string) string {
	if value := wire.First(f.report.Text(name), f.report.Object(name).Text("value")); value != "" {
		return wire.WithoutType(value)
	}
	return wire.WithoutType(firstOf(f.part[headerName(name)]))
}

func (f fields) address(name string) string {
	return wire.First(f.report.Address(name), wire.Address(firstOf(f.part[headerName(name)])))
}

// headerName returns the name that a field has in a report: final-recipient for finalRecipient.
func headerName(name string) string {
	var out strings.Builder
	for _, c := range name {
		if 'A' <= c && c <= 'Z' {
			out.WriteByte('-')
		}
		out.WriteRune(unicode.ToLower(c))
	}
	return out.String()
}

// header returns the fields of up to a number of blocks of the part that has one of the media types: the first block of a delivery
// status is about the message, the second about its first recipient. It is empty when the part or its content is not there.
func header(n notice, blocks int, mediaTypes ...string) headers {
	all := headers{}
	found := part(n, mediaTypes...)
	if found == nil {
		return all
	}
	decoder := base64.NewDecoder(base64.StdEncoding, strings.NewReader(found.Text("content")))
	reader := textproto.NewReader(bufio.NewReader(io.LimitReader(decoder, maxPartBytes)))
	for range blocks {
		block, err := reader.ReadMIMEHeader() // what could be read before an error is good
		for name, values := range block {
			name = strings.ToLower(name)
			all[name] = append(all[name], values...)
		}
		if err != nil {
			break
		}
	}
	return all
}

// part returns the first attachment of one of the media types; nil when there is none.
func part(n notice, mediaTypes ...string) *wire.Object {
	for _, attachment := range n.data.Objects("attachments") {
		for _, mediaType := range mediaTypes {
			if strings.EqualFold(attachment.Text("contentType"), mediaType) {
				return &attachment
			}
		}
	}
	return nil
}

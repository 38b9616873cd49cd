package mime

import (
	"bufio"
	"bytes"
	"io"
	"net/textproto"
	"slices"
	"strconv"
	"strings"

	"github.com/emersion/go-message"
	"github.com/emersion/go-message/mail"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/refusal"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// Bounds of a report. Each event of one holds the whole mail as its raw.
const (
	maxReportPart  = 64 << 10
	maxReports     = 100
	maxReportBytes = 4 << 20
)

// report holds the parts of a multipart/report (RFC 6522).
type report struct {
	// status are the blocks of a delivery status: the first is about the message, each other one about a recipient.
	status []textproto.MIMEHeader
	// cut says that there is more of them than was read.
	cut bool
	// feedback is the block of a feedback report.
	feedback textproto.MIMEHeader
	// original is the header of the message that it is about.
	original mail.Header
}

// ReportBudget bounds what the reports of all mails of one request become: each mail's first, and beside those 4 MiB with the mails that
// they hold. Strangers write such mails, and a provider may send a thousand in one request. The zero ReportBudget is whole.
type ReportBudget struct{ bytes int }

// isReport reports whether a mail is one on another, by its own type: a report that somebody forwards is no report.
func isReport(h *mail.Header) bool {
	mediaType, _, err := h.ContentType()
	return err == nil && strings.EqualFold(mediaType, "multipart/report")
}

// capture returns what a part of a report is read through, so that what is needed of it is kept, and what is to be done when it was read.
func (m *Message) capture(mediaType string, body io.Reader) (through io.Reader, done func()) {
	kept := &bytes.Buffer{}
	limit := &bounded{kept, maxReportPart}
	through = io.TeeReader(body, limit)
	switch strings.ToLower(mediaType) {
	case "message/delivery-status", "message/global-delivery-status":
		return through, func() { m.report.status, m.report.cut = blocks(kept, maxReports+2), limit.left == 0 }
	case "message/feedback-report":
		return through, func() {
			for _, block := range blocks(kept, 1) {
				m.report.feedback = block
			}
		}
	case "message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers":
		return through, func() { m.report.original = original(kept.Bytes()) }
	default:
		return body, func() {}
	}
}

// bounded takes the first bytes of what is written to it, and drops the rest.
type bounded struct {
	to   io.Writer
	left int
}

func (b *bounded) Write(p []byte) (int, error) {
	n := min(b.left, len(p))
	b.left -= n
	if _, err := b.to.Write(p[:n]); err != nil {
		return 0, err //nolint:wrapcheck // a buffer has none
	}
	return len(p), nil
}

// blocks reads blocks of fields with blank lines between them. What could be read before an error is good.
func blocks(text io.Reader, most int) (all []textproto.MIMEHeader) {
	lines := bufio.NewReader(text)
	reader := textproto.NewReader(lines)
	for len(all) < most {
		block, err := reader.ReadMIMEHeader()
		if len(block) > 0 {
			all = append(all, block)
		}
		if err != nil {
			return all
		}
	}
	return all
}

// original reads the header of a message of which the rest may be cut off.
func original(text []byte) mail.Header {
	entity, err := message.Read(bytes.NewReader(append(slices.Clip(text), "\r\n\r\n"...)))
	if entity == nil || err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
		return mail.Header{}
	}
	return mail.Header{Header: entity.Header}
}

// Reports returns the events that a mail tells of which is a report on another one: on its delivery, one event for each recipient
// (RFC 3464, RFC 6533), or on a complaint (RFC 5965, RFC 6430). From is the event of the mail itself, whose id theirs rest on; it is marked
// as truncated when there are more of them than 100, or than the request may become; the first is always there. Anybody can write such a mail:
// details.reportMessageId is its Message-ID, so that filters can tell.
func (m *Message) Reports(from *event.Event, b *ReportBudget) []event.Event {
	var events []event.Event
	from.Truncated = from.Truncated || m.report.cut
	most := max(1, min(maxReports, (maxReportBytes-b.bytes)/max(1, len(from.Raw))))
	if m.report.feedback != nil {
		events = append(events, m.reported(from, m.report.feedback, complaint))
	}
	for i := 1; i < len(m.report.status); i++ {
		if len(events) == most {
			from.Truncated = true
			break
		}
		events = append(events, m.reported(from, m.report.status[i], m.delivery))
	}
	b.bytes += max(0, len(events)-1) * len(from.Raw)
	var ids wire.IDs
	for i := range events {
		e := &events[i]
		e.ID = ids.Unique(event.HashID(from.ID, "report", string(e.Type), e.Recipient, e.Diagnostic, strconv.Itoa(e.SMTPCode), e.EnhancedCode))
	}
	return events
}

// reported returns an event about the original message that set completes by a block of a report.
func (m *Message) reported(from *event.Event, block textproto.MIMEHeader, set func(*event.Event, textproto.MIMEHeader)) event.Event {
	e := event.Event{
		Provider: from.Provider, ProviderEvent: from.ProviderEvent, ProviderEventID: from.ProviderEventID, Account: from.Account,
		Time: from.Time, TimeRaw: from.TimeRaw, TimeZoneAssumed: from.TimeZoneAssumed, TimeImplausible: from.TimeImplausible, Raw: from.Raw,
	}
	m.about(&e)
	set(&e, block)
	wire.SetDetail(&e, "reportMessageId", m.MessageID)
	wire.SetDetail(&e, "reportingMta", wire.WithoutType(clean(wire.First(block.Get("Reporting-Mta"), m.ofMessage("Reporting-Mta")))))
	return e
}

// about sets what the original message says. The fields that its sender made up are metadata.
func (m *Message) about(e *event.Event) {
	h := &m.report.original
	text := func(name string) string {
		value, err := h.Text(name)
		if err != nil {
			value = h.Get(name)
		}
		return clean(value)
	}
	e.MessageID, e.Subject = wire.MessageID(text("Message-Id")), text("Subject")
	e.Sender = wire.Address(text("From"))
	wire.SetRecipients(e, wire.Addresses(text("To")), wire.Addresses(text("Cc")))
	for fields := h.Fields(); fields.Next(); {
		if name := strings.ToLower(fields.Key()); strings.HasPrefix(name, "x-") && e.Metadata[name] == "" {
			wire.SetMetadata(e, name, text(name))
		}
	}
}

// ofMessage returns a field of the block about the message.
func (m *Message) ofMessage(name string) string {
	if len(m.report.status) == 0 {
		return ""
	}
	return m.report.status[0].Get(name)
}

// delivery sets what a report says of one recipient.
func (m *Message) delivery(e *event.Event, block textproto.MIMEHeader) {
	get := func(name string) string { return clean(block.Get(name)) }
	e.Recipient = wire.First(wire.Address(get("Final-Recipient")), wire.Address(get("Original-Recipient")), e.Recipient)
	e.Diagnostic = wire.WithoutType(get("Diagnostic-Code"))
	e.SMTPCode, e.EnhancedCode = wire.SMTPReply(e.Diagnostic)
	e.EnhancedCode = wire.First(wire.EnhancedCode(get("Status")), e.EnhancedCode)
	e.Type = wire.ReportedType(get("Action"))
	if e.Type == event.Bounced {
		e.Bounce = refusal.Classify(e)
	}
	for _, d := range [][2]string{{"action", "Action"}, {"mta", "Remote-Mta"}, {"lastAttemptDate", "Last-Attempt-Date"}, {"willRetryUntil", "Will-Retry-Until"}} {
		wire.SetDetail(e, d[0], wire.WithoutType(get(d[1])))
	}
	wire.SetDetail(e, "arrivalDate", clean(m.ofMessage("Arrival-Date")))
	wire.SetDetail(e, "originalEnvelopeId", clean(m.ofMessage("Original-Envelope-Id")))
}

// complaint sets what a feedback report says.
func complaint(e *event.Event, block textproto.MIMEHeader) {
	get := func(name string) string { return clean(block.Get(name)) }
	e.Type, e.Complaint.FeedbackType = event.Complained, strings.ToLower(get("Feedback-Type"))
	if e.Complaint.FeedbackType == "not-spam" {
		e.Type = event.Uncomplained
	}
	var recipients []string
	for _, text := range block["Original-Rcpt-To"] {
		recipients = append(recipients, wire.Addresses(clean(text))...)
	}
	if len(recipients) > 0 {
		wire.SetRecipients(e, recipients)
	}
	e.Recipient = wire.First(e.Recipient, wire.Address(get("Removal-Recipient")))
	e.Sender = wire.First(e.Sender, wire.Address(get("Original-Mail-From")))
	e.IP = get("Source-Ip")
	for _, d := range [][2]string{
		{"reportUserAgent", "User-Agent"}, {"arrivalDate", "Arrival-Date"}, {"reportedDomain", "Reported-Domain"}, {"authenticationResults", "Authentication-Results"}, {"incidents", "Incidents"},
	} {
		wire.SetDetail(e, d[0], get(d[1]))
	}
}

// clean returns a field's text in UTF-8.
func clean(text string) string { return strings.ToValidUTF8(strings.TrimSpace(text), "\ufffd") }

// Package mime reads mails (RFC 5322, RFC 2045) into the one shape that received mail has, whatever the provider hands over.
package mime

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	netmail "net/mail"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/emersion/go-message"
	"github.com/emersion/go-message/charset" // its import alone makes mails readable in other character sets than UTF-8
	"github.com/emersion/go-message/mail"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// Bounds of what is read of a mail.
const (
	maxParts = 1000
	maxDepth = 32
)

var (
	errHeader = errors.New("the mail has no header that can be read")
	errParts  = fmt.Errorf("more than %d parts in one mail", maxParts)
)

// Message is what a mail says.
type Message struct {
	event.Mail

	// Subject and MessageID are the header fields of these names, the latter without its angle brackets.
	Subject, MessageID string
	// Truncated says that a text was cut, or that a list has more than an event holds.
	Truncated bool
	// Header returns the first field of a name, decoded; "" = there is none.
	Header func(name string) string

	isReport bool
	report   report
}

// Parse reads a mail. What is odd in a part costs that part and nothing else: a mail of which only the header can be read is a mail.
// Errors hold nothing of the content.
func Parse(raw []byte) (Message, error) {
	m, entity, err := read(raw)
	if err != nil {
		return m, err
	}
	return m, m.parts(entity)
}

// ParseHeader reads the header of a mail alone: what a provider hands over of one whose bodies it has read itself.
func ParseHeader(raw []byte) (Message, error) {
	m, _, err := read(append(slices.Clip(raw), "\r\n\r\n"...)) // the end of the header, which is often cut off
	return m, err
}

// read reads a header, and returns what is behind it.
func read(raw []byte) (Message, *message.Entity, error) {
	entity, err := message.Read(bytes.NewReader(raw))
	if entity == nil || err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
		return Message{}, nil, errHeader
	}
	h := mail.Header{Header: entity.Header}
	if h.Len() == 0 {
		return Message{}, nil, errHeader
	}
	m := Message{Header: func(name string) string {
		value, err := h.Text(name)
		if err != nil {
			value = h.Get(name)
		}
		return strings.ToValidUTF8(value, "\ufffd")
	}}
	m.header(&h)
	m.isReport = isReport(&h)
	return m, entity, nil
}

// Decode returns a text of a character set (RFC 2978) in UTF-8: what is in none that is known as far as it is UTF-8.
func Decode(characterSet string, text []byte) string {
	if characterSet == "" || strings.EqualFold(characterSet, "utf-8") {
		return strings.ToValidUTF8(string(text), "\ufffd")
	}
	decoded := text
	if reader, err := charset.Reader(characterSet, bytes.NewReader(text)); err == nil {
		if all, err := io.ReadAll(reader); err == nil {
			decoded = all
		}
	}
	return strings.ToValidUTF8(string(decoded), "\ufffd")
}

func (m *Message) header(h *mail.Header) {
	m.Subject = m.Header("Subject")
	m.From, m.To, m.Cc, m.ReplyTo = mailboxes(h, "From"), mailboxes(h, "To"), mailboxes(h, "Cc"), mailboxes(h, "Reply-To")
	m.Thread(m.Header)
}

// Thread sets what header fields say of the place and the time of a mail: Message-ID, In-Reply-To, References, Auto-Submitted and Date.
// Get returns the first field of a name; "" = there is none.
func (m *Message) Thread(get func(name string) string) {
	m.MessageID, m.InReplyTo = wire.MessageID(get("Message-Id")), wire.MessageID(get("In-Reply-To"))
	for id := range strings.FieldsSeq(get("References")) {
		if len(m.References) == event.MaxReferences {
			m.Truncated = true
			break
		}
		m.References = append(m.References, wire.MessageID(id))
	}
	m.AutoSubmitted = strings.ToLower(strings.TrimSpace(get("Auto-Submitted")))
	if at, err := netmail.ParseDate(get("Date")); err == nil && at.Year() > 0 && at.Year() < 9999 {
		m.Date = at.UTC().Truncate(time.Second)
	}
}

// mailboxes returns the mailboxes of a field, encoded words decoded.
func mailboxes(h *mail.Header, field string) []event.Mailbox {
	text, err := h.Text(field)
	if err != nil {
		text = h.Get(field)
	}
	return Mailboxes(strings.ToValidUTF8(text, "\ufffd"))
}

// Mailboxes returns the mailboxes in a text that is a list of them; see [wire.Mailboxes].
func Mailboxes(text string) []event.Mailbox {
	var boxes []event.Mailbox
	for _, b := range wire.Mailboxes(text) {
		boxes = append(boxes, event.Mailbox{Address: b.Address, Name: b.Name})
	}
	return boxes
}

// Addresses returns the addresses of mailboxes.
func Addresses(boxes []event.Mailbox) []string {
	addresses := make([]string, 0, len(boxes))
	for _, b := range boxes {
		addresses = append(addresses, b.Address)
	}
	return addresses
}

// SetText sets the bodies, as far as an event holds them.
func (m *Message) SetText(text, html string) {
	var textCut, htmlCut bool
	m.Text, textCut = Cut(text)
	m.HTML, htmlCut = Cut(html)
	m.Truncated = m.Truncated || textCut || htmlCut
}

// parts reads the bodies and the attachments.
func (m *Message) parts(entity *message.Entity) error {
	parts := 0
	err := entity.Walk(func(path []int, part *message.Entity, err error) error {
		if parts++; parts > maxParts || len(path) > maxDepth {
			return errParts
		}
		if part == nil || err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
			return nil // what cannot be read of one part costs no other
		}
		if part.MultipartReader() != nil {
			return nil
		}
		m.part(part, m.isReport && len(path) == 1)
		return nil
	})
	if errors.Is(err, errParts) {
		return errParts
	}
	return nil // a multipart without its end has what came before it
}

// part reads a part. What it says is of a report where it is one of its own parts, and of no other within it.
func (m *Message) part(part *message.Entity, ofReport bool) {
	mediaType, parameters, err := part.Header.ContentType()
	if err != nil {
		mediaType = "application/octet-stream"
	}
	if ofReport {
		through, done := m.capture(mediaType, part.Body)
		part.Body = through
		defer done()
	}
	disposition, dispositionParameters, _ := part.Header.ContentDisposition()
	name := dispositionParameters["filename"]
	if name == "" {
		name = parameters["name"]
	}
	isBody := !strings.EqualFold(disposition, "attachment") && name == ""
	switch {
	case isBody && mediaType == "text/plain" && m.Text == "":
		m.Text = m.text(part.Body)
	case isBody && mediaType == "text/html" && m.HTML == "":
		m.HTML = m.text(part.Body)
	default:
		m.attach(part, mediaType, name)
	}
}

// text reads a body as far as an event holds it.
func (m *Message) text(body io.Reader) string {
	data, err := io.ReadAll(io.LimitReader(body, event.MaxMailText+1))
	if err != nil {
		m.Truncated = true
	}
	text, cut := Cut(string(data))
	m.Truncated = m.Truncated || cut
	return text
}

// Cut returns as much of a text as an event holds, in UTF-8, and whether that is less than all.
func Cut(text string) (kept string, cut bool) {
	if len(text) > event.MaxMailText {
		end := event.MaxMailText
		for end > event.MaxMailText-utf8.UTFMax && !utf8.RuneStart(text[end]) { // not within a character
			end--
		}
		text, cut = text[:end], true
	}
	return strings.ToValidUTF8(text, "\ufffd"), cut
}

func (m *Message) attach(part *message.Entity, mediaType, name string) {
	m.Attach(event.Attachment{Name: name, MediaType: mediaType, ContentID: part.Header.Get("Content-Id")}, part.Body)
}

// Attach adds an attachment and what is known of its bytes: nothing where they cannot be read to their end.
func (m *Message) Attach(a event.Attachment, data io.Reader) {
	digest := sha256.New()
	if len(m.Attachments) < event.MaxAttachments {
		if size, err := io.Copy(digest, data); err != nil {
			m.Truncated = true
		} else {
			a.Size, a.SHA256 = size, hex.EncodeToString(digest.Sum(nil))
		}
	}
	m.AttachKept(a)
}

// AttachKept adds an attachment whose bytes the provider keeps.
func (m *Message) AttachKept(a event.Attachment) {
	if len(m.Attachments) == event.MaxAttachments {
		m.Truncated = true
		return
	}
	for _, text := range []*string{&a.Name, &a.MediaType, &a.ContentID} {
		*text = strings.ToValidUTF8(*text, "\ufffd")
	}
	a.ContentID = strings.Trim(a.ContentID, " <>")
	mediaType, _, _ := strings.Cut(a.MediaType, ";")
	a.MediaType = strings.ToLower(strings.TrimSpace(mediaType))
	a.Size = max(0, a.Size)
	m.Attachments = append(m.Attachments, a)
}

// AttachBase64 does what Attach does with bytes that a provider hands over in base64.
func (m *Message) AttachBase64(a event.Attachment, text string) {
	m.Attach(a, base64.NewDecoder(base64.StdEncoding, strings.NewReader(text)))
}

package event

import "time"

// Mail is a message that came in, in one shape for all providers: what the body of an event of type [Received] holds beside what every
// event has. Its bytes are in the event's raw, or where Attachment.URL or details say.
type Mail struct {
	// Envelope is what the sending server said (RFC 5321), where the provider tells it.
	Envelope MailEnvelope `json:"envelope,omitzero"`
	// From, To, Cc and ReplyTo are the header fields of these names (RFC 5322 section 3.6).
	From    []Mailbox `json:"from,omitzero"`
	To      []Mailbox `json:"to,omitzero"`
	Cc      []Mailbox `json:"cc,omitzero"`
	ReplyTo []Mailbox `json:"replyTo,omitzero"`
	// Date is the header field of this name, in UTC; zero = it is missing or cannot be read.
	Date time.Time `json:"date,omitzero"`
	// InReplyTo and References are Message-IDs without their angle brackets.
	InReplyTo  string   `json:"inReplyTo,omitzero"`
	References []string `json:"references,omitzero"`
	// AutoSubmitted is the header field of this name (RFC 3834): "no" for what a person wrote, such as "auto-replied" for what none did.
	AutoSubmitted string `json:"autoSubmitted,omitzero"`
	// Text and HTML are the bodies, in UTF-8, of 256 KiB each at most; the event says when one was cut.
	Text string `json:"text,omitzero"`
	HTML string `json:"html,omitzero"`
	// Attachments are the other parts.
	Attachments []Attachment `json:"attachments,omitzero"`
	// Spam is what the provider thinks of it.
	Spam Spam `json:"spam,omitzero"`
	// Authentication is what the provider found: the words of RFC 8601, such as "pass", "fail" and "none", in lower case.
	Authentication Authentication `json:"authentication,omitzero"`
}

// MailEnvelope is that of SMTP.
type MailEnvelope struct {
	// From is the address of MAIL FROM, empty for a report.
	From string `json:"from,omitzero"`
	// To are the addresses of RCPT TO.
	To []string `json:"to,omitzero"`
}

// Mailbox is an address and the display name beside it (RFC 5322 section 3.4).
type Mailbox struct {
	Address string `json:"address"`
	Name    string `json:"name,omitzero"`
}

// Attachment is a part of a mail that is none of its bodies.
type Attachment struct {
	// Name is the file's name.
	Name string `json:"name,omitzero"`
	// MediaType is that of the part, such as "application/pdf", in lower case and without parameters.
	MediaType string `json:"mediaType,omitzero"`
	// Size is in bytes, decoded; 0 = not known.
	Size int64 `json:"size,omitzero"`
	// SHA256 is the digest of the decoded bytes in hexadecimal; empty where they did not come along.
	SHA256 string `json:"sha256,omitzero"`
	// ContentID is the Content-ID without its angle brackets (RFC 2392), by which HTML refers to the part.
	ContentID string `json:"contentId,omitzero"`
	// ID and URL are where the provider keeps the bytes.
	ID  string `json:"id,omitzero"`
	URL string `json:"url,omitzero"`
}

// Spam is a provider's verdict.
type Spam struct {
	// Verdict is the provider's word, in lower case, such as "pass" or "fail".
	Verdict string `json:"verdict,omitzero"`
	// Score is the provider's number, as it wrote it.
	Score string `json:"score,omitzero"`
	// Virus is its word on malware.
	Virus string `json:"virus,omitzero"`
}

// Authentication is what a provider found of the methods of RFC 8601 section 2.7.
type Authentication struct {
	SPF   string `json:"spf,omitzero"`
	DKIM  string `json:"dkim,omitzero"`
	DMARC string `json:"dmarc,omitzero"`
}

// Bounds of a mail.
const (
	// MaxMailText bounds each body, in bytes: 256 KiB.
	MaxMailText = 256 << 10
	// MaxAttachments and MaxReferences bound the lists.
	MaxAttachments = 100
	MaxReferences  = 100
)

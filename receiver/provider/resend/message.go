package resend

import (
	"strings"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// message sets what all events of a message share. Resend makes an event for each recipient and does not say which one it is about, so
// that a message to several has no recipient, only recipients.
func (d *data) message(e *event.Event) {
	e.ProviderMessageID = d.Text("email_id")
	e.MessageID = wire.MessageID(d.Text("message_id"))
	e.Sender = d.Address("from")
	e.Subject = d.Text("subject")
	wire.SetRecipients(e, d.Addresses("to"), d.Addresses("cc"), d.Addresses("bcc"))
	wire.KeepDetails(e, d.Object, "broadcast_id", "template_id", "created_at")
	d.attached(e)
}

// attached keeps what the sender attached: tags, an object or, in older payloads, a list of names and values; and those headers of the
// sender's own that older payloads have.
func (d *data) attached(e *event.Event) {
	for name, value := range d.Object.Object("tags").Members() {
		wire.SetMetadata(e, name, value)
	}
	if strings.HasPrefix(d.JSON("tags"), "[") {
		for _, tag := range d.Objects("tags") {
			wire.SetMetadata(e, tag.Text("name"), tag.Text("value"))
		}
	}
	for _, header := range d.Objects("headers") {
		if name := header.Text("name"); strings.HasPrefix(strings.ToUpper(name), "X-") {
			wire.SetMetadata(e, name, header.Text("value"))
		}
	}
}

func (d *data) failed(e *event.Event) {
	d.message(e)
	e.Reason = d.Object.Object("failed").Text("reason")
}

// suppressed reads a message that was not attempted, because its recipient is on the list of suppressed addresses.
func (d *data) suppressed(e *event.Event) {
	d.message(e)
	s := d.Object.Object("suppressed")
	e.Reject.Reason = event.SuppressedBounce
	e.Reason = s.Text("message")
	wire.SetDetail(e, "suppressed.type", s.Text("type"))
}

// opened reads an event whose member open is not documented, and was seen.
func (d *data) opened(e *event.Event) {
	d.message(e)
	d.engagement(e, d.Object.Object("open"))
}

func (d *data) clicked(e *event.Event) {
	d.message(e)
	click := d.Object.Object("click")
	d.engagement(e, click)
	e.URL = click.Text("link")
}

// engagement reads who opened or clicked, and when that was: the time of the event around it is that of the report.
func (d *data) engagement(e *event.Event, by wire.Object) {
	e.IP, e.UserAgent = by.Text("ipAddress"), by.Text("userAgent")
	if at := wire.DateTime(by.Text("timestamp")); isReadable(at) {
		at.SetTime(e, d.request.ReceivedAt)
	}
}

func isReadable(s wire.Stamp) bool {
	_, ok := s.Time()
	return ok
}

// suppression reads a change of the list of suppressed addresses.
func (d *data) suppression(e *event.Event) {
	e.Recipient = d.Address("email")
	wire.KeepDetails(e, d.Object, "id", "origin", "source_id", "created_at")
}

func (d *data) contact(e *event.Event) {
	e.Recipient = d.Address("email")
	wire.KeepDetails(e, d.Object, "id", "audience_id", "first_name", "last_name", "unsubscribed", "created_at", "updated_at")
	wire.SetDetailList(e, "segment_ids", d.Texts("segment_ids"))
}

func (d *data) domain(e *event.Event) {
	wire.KeepDetails(e, d.Object, "id", "name", "status", "region", "created_at")
}

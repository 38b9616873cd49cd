package content_test

import (
	"bytes"
	"testing"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/event"
)

// TestNoAddressIsLeftInAMail looks for a recipient's address in all of a received mail, and that the event itself stays as it was.
func TestNoAddressIsLeftInAMail(t *testing.T) {
	t.Parallel()
	const address = "first.last@example.com"
	mail := &event.Mail{
		Envelope: event.MailEnvelope{To: []string{address}}, To: []event.Mailbox{{Address: address, Name: "First"}}, Cc: []event.Mailbox{{Address: "other@example.org"}},
		Text: "Dear " + address + ",", HTML: "<a href=\"mailto:" + address + "\">", Attachments: []event.Attachment{{Name: "for " + address, Size: 3}},
	}
	for _, as := range []string{config.ContentDrop, config.ContentMask, config.ContentHash} {
		e := bounce()
		e.Type, e.Recipient, e.Recipients, e.Mail = event.Received, address, []string{address}, mail
		out, _ := apply(t, fields("recipient="+as, "recipients="+as), e)
		if bytes.Contains(out, []byte(address)) {
			t.Errorf("%s: %s", as, out)
		}
	}
	if out, _ := apply(t, fields("mail.text=Drop", "mail.from=Drop"), &event.Event{ID: "1", Type: event.Received, Time: bounce().Time, Mail: mail}); bytes.Contains(out, []byte("Dear")) || !bytes.Contains(out, []byte("mailto")) {
		t.Errorf("another field than the text is left out: %s", out)
	}
	if mail.Text == "" || mail.To[0].Address != address || mail.Envelope.To[0] != address {
		t.Error("what is sent to one sink changes the event of all")
	}
}

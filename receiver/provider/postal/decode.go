package postal

import (
	"errors"
	"strings"

	"github.com/mailvane/mailvane/receiver/body/mime"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/refusal"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

var errNoEvent = errors.New("neither event nor rcpt_to is there")

// received is what we call a mail that came in, of which Postal has no name.
const received = "HTTPEndpoint"

// item is one event, or a mail.
type item struct {
	wire.Item
	// payload is what an event says, and message the message that it is about.
	payload, message wire.Object
	// received is the mail that came in, where it is one.
	received mime.Message
}

// Decode reads the one event, or the one mail, that a request holds. A mail may come as a form.
func (w *webhook) Decode(r *provider.Request) provider.Batch {
	var b provider.Batch
	body, f, err := read(r)
	if err == nil {
		err = wire.Single(body, func(sent wire.Item) error {
			i := &item{Item: sent, payload: sent.Object.Object("payload")}
			e, err := i.event(r)
			if err != nil {
				return err
			}
			if e.Raw = sent.Raw; f != nil {
				e.Raw = f.Raw()
			}
			reports := i.received.Reports(&e, new(mime.ReportBudget))
			b.Events = append(append(b.Events, e), reports...)
			return nil
		})
	}
	if err == nil {
		return b
	}
	refused := provider.Undecodable{Raw: wire.Trim(r.Body), Reason: err.Error()}
	if f != nil {
		refused.Raw = r.Body
	}
	return provider.Batch{Undecodable: []provider.Undecodable{refused}}
}

func (i *item) event(r *provider.Request) (event.Event, error) {
	e := event.Event{Provider: Type, ProviderEvent: i.Text("event")}
	at := wire.First(i.payload.Text("timestamp"), i.Text("timestamp"))
	wire.Seconds(at).SetTime(&e, r.ReceivedAt)
	switch {
	case e.ProviderEvent != "":
		i.message = i.payload.Object("message")
		i.convert(&e)
	case i.JSON("rcpt_to") != "":
		e.ProviderEvent = received
		i.inbound(&e)
	default:
		return e, errNoEvent
	}
	// uuid is that of the event, and is the same over attempts. A mail has none.
	if e.ProviderEventID = i.Text("uuid"); e.ProviderEventID != "" {
		e.ID = event.HashID(e.ProviderEventID)
	} else {
		e.ID = i.Identity()
	}
	return e, nil
}

// reader is what an event is called, and what reads it.
type reader struct {
	as   event.Type
	from func(*item, *event.Event)
}

// readers returns what is known of each event by its name. "MessageSent" says that the recipient's server took the message.
func readers() map[string]reader {
	return map[string]reader{
		"MessageSent":           {event.Delivered, (*item).status},
		"MessageDelayed":        {event.Deferred, (*item).status},
		"MessageDeliveryFailed": {event.Failed, (*item).failed},
		"MessageHeld":           {event.Accepted, (*item).status},
		"MessageBounced":        {event.Bounced, (*item).bounced},
		"MessageLinkClicked":    {event.Clicked, (*item).engagement},
		"MessageLoaded":         {event.Opened, (*item).engagement},
		"DomainDNSError":        {event.Unknown, (*item).domain},
		"SendLimitApproaching":  {event.AccountStatusChanged, (*item).limit},
		"SendLimitExceeded":     {event.AccountStatusChanged, (*item).limit},
	}
}

func (i *item) convert(e *event.Event) {
	read, known := wire.Known(readers(), e.ProviderEvent)
	if !known {
		e.Type = event.Unknown
		i.about(e)
		return
	}
	e.Type = read.as
	read.from(i, e)
}

// about sets what a message is.
func (i *item) about(e *event.Event) {
	m := i.message
	e.Recipient, e.Sender = m.Address("to"), m.Address("from")
	e.Subject = m.Text("subject")
	e.MessageID, e.ProviderMessageID = wire.MessageID(m.Text("message_id")), m.Text("id")
	if tag := m.Text("tag"); tag != "" {
		e.Tags = []string{tag}
	}
	wire.KeepDetails(e, m, "direction", "spam_status")
}

// status reads what became of an attempt. One to hand over a mail that came in is about nobody's message: the mail itself is another event.
func (i *item) status(e *event.Event) {
	i.about(e)
	e.Diagnostic, e.Reason = i.payload.Text("output"), i.payload.Text("details")
	e.SMTPCode, e.EnhancedCode = wire.SMTPReply(e.Diagnostic)
	wire.KeepDetails(e, i.payload, "status", "sent_with_ssl", "time")
	if strings.EqualFold(i.message.Text("direction"), "incoming") {
		e.Type = event.Unknown
	}
}

// failed reads that Postal gave up, which is a bounce where a server has refused the message for good.
func (i *item) failed(e *event.Event) {
	i.status(e)
	if e.Type == event.Failed && e.SMTPCode/100 == 5 {
		e.Type = event.Bounced
		e.Bounce.Type = refusal.Classify(e).Type
		e.Bounce.Category = refusal.Category(e)
	}
}

// bounced reads that a mail came back, which Postal does not read.
func (i *item) bounced(e *event.Event) {
	i.message = i.payload.Object("original_message")
	i.about(e)
	e.Bounce = event.Bounce{Type: event.Undetermined, Category: event.CategoryOther}
	bounce := i.payload.Object("bounce")
	wire.SetDetail(e, "bounce.id", bounce.Text("id"))
	wire.SetDetail(e, "bounce.message_id", bounce.Text("message_id"))
	wire.SetDetail(e, "bounce.subject", bounce.Text("subject"))
}

// engagement reads what a recipient did.
func (i *item) engagement(e *event.Event) {
	i.about(e)
	e.URL, e.IP, e.UserAgent = i.payload.Text("url"), i.payload.Text("ip_address"), i.payload.Text("user_agent")
}

// server reads which of the installation's mail servers an event is about.
func (i *item) server(e *event.Event) {
	s := i.payload.Object("server")
	e.Account = wire.First(s.Text("uuid"), s.Text("permalink"))
	wire.KeepDetails(e, s, "name", "permalink", "organization")
}

// limit reads how much of a limit is used.
func (i *item) limit(e *event.Event) {
	i.server(e)
	wire.KeepDetails(e, i.payload, "volume", "limit")
}

// domain reads what is wrong with the DNS of a domain.
func (i *item) domain(e *event.Event) {
	i.server(e)
	wire.KeepDetails(e, i.payload, "domain", "dns_checked_at", "spf_status", "spf_error", "dkim_status", "dkim_error", "mx_status", "mx_error",
		"return_path_status", "return_path_error")
}

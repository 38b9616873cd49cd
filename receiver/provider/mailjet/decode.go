package mailjet

import (
	"errors"
	"strings"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

var errNoEvent = errors.New("neither event nor a member of a mail that came in is there")

// parseAPI is what we call a mail that came in, of which Mailjet has no name.
const parseAPI = "parse"

// item is one event, or a mail.
type item struct{ wire.Item }

// batch collects what a body holds.
type batch struct {
	provider.Batch
	request *provider.Request
	ids     wire.IDs
}

// Decode reads the event that a request holds (version 1), or a list of events of any types (version 2), which may be empty.
func (webhook) Decode(r *provider.Request) provider.Batch {
	b := batch{request: r}
	for i, err := range wire.Items(r.Body) {
		if err == nil {
			err = b.add(&item{i})
		}
		if err != nil {
			b.Undecodable = append(b.Undecodable, provider.Undecodable{Raw: i.Sent, Reason: err.Error()})
		}
	}
	return b.Batch
}

func (b *batch) add(i *item) error {
	e := event.Event{Provider: Type, ProviderEvent: i.name(), Raw: i.Raw}
	if e.ProviderEvent == "" {
		return errNoEvent
	}
	wire.Seconds(i.Text("time")).SetTime(&e, b.request.ReceivedAt)
	i.common(&e)
	i.convert(&e)
	if err := i.Doubt(); err != nil {
		return err
	}
	// Mailjet gives an event no id, and a time in seconds.
	e.ID = b.ids.Unique(i.Identity())
	b.Events = append(b.Events, e)
	return nil
}

// name returns the name of the event; "" = it is neither an event nor a mail.
func (i *item) name() string {
	if name := i.Text("event"); name != "" {
		return name
	}
	if i.JSON("Sender") != "" || i.JSON("Recipient") != "" || i.JSON("Headers") != "" {
		return parseAPI
	}
	return ""
}

// common sets what all events share, and a mail that answers a message of ours.
func (i *item) common(e *event.Event) {
	e.Recipient = i.Address("email")
	e.ProviderMessageID = i.Text("MessageID")
	e.CorrelationID = i.Text("CustomID")
	if campaign := i.Text("customcampaign"); campaign != "" {
		e.Tags = []string{campaign}
	}
	i.payload(e)
	wire.KeepDetails(e, i.Object, "Message_GUID", "mj_campaign_id", "mj_contact_id", "mj_message_id")
}

// payload keeps what the sender attached: the members of an object, which is a text for Mailjet, or else that text.
func (i *item) payload(e *event.Event) {
	text := i.Text("Payload")
	if object := i.JSON("Payload"); strings.HasPrefix(object, "{") {
		text = object
	}
	err := wire.Single([]byte(text), func(sent wire.Item) error {
		for name, value := range sent.Members() {
			wire.SetMetadata(e, name, value)
		}
		return nil
	})
	if err != nil {
		wire.SetMetadata(e, "Payload", text)
	}
}

func (i *item) convert(e *event.Event) {
	read, known := wire.Known(readers(), e.ProviderEvent)
	if !known {
		e.Type = event.Unknown
		return
	}
	e.Type = read.as
	read.from(i, e)
}

// reader is what an event is called, and what reads it.
type reader struct {
	as   event.Type
	from func(*item, *event.Event)
}

// readers returns what is known of each event by its name. "sent" says that the recipient's server took the message.
func readers() map[string]reader {
	return map[string]reader{
		"sent":    {event.Delivered, (*item).sent},
		"open":    {event.Opened, (*item).engagement},
		"click":   {event.Clicked, (*item).engagement},
		"bounce":  {event.Bounced, (*item).bounce},
		"blocked": {event.Rejected, (*item).blocked},
		"spam":    {event.Complained, (*item).complaint},
		"unsub":   {event.Unsubscribed, (*item).engagement},
		parseAPI:  {event.Received, (*item).inbound},
	}
}

// sent reads the server's answer. Older bodies have it in parentheses, behind a word.
func (i *item) sent(e *event.Event) {
	reply := i.Text("smtp_reply")
	if within, ok := strings.CutPrefix(reply, "sent ("); ok {
		reply = strings.TrimSuffix(within, ")")
	}
	e.Diagnostic = reply
	e.SMTPCode, e.EnhancedCode = wire.SMTPReply(reply)
}

// engagement reads what a recipient did.
func (i *item) engagement(e *event.Event) {
	e.URL, e.IP, e.UserAgent = i.Text("url"), i.Text("ip"), i.Text("agent")
	wire.KeepDetails(e, i.Object, "geo", "mj_list_id")
}

// complaint reads which feedback loop a complaint came from, which is no type of a report.
func (i *item) complaint(e *event.Event) { wire.KeepDetails(e, i.Object, "source") }

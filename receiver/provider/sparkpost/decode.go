package sparkpost

import (
	"errors"

	"github.com/mailvane/mailvane/receiver/body/mime"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

var (
	errNoEvent = errors.New("the member msys is missing, or is no object")
	errClasses = errors.New("msys must have one member, which is an object")
)

// relayMessage is the class of a mail that came in, which has no type.
const relayMessage = "relay_message"

// item is one event: what stands within msys, under the name of its class.
type item struct {
	wire.Item
	class string
	data  wire.Object
	// received is the mail that came in, where it is one.
	received mime.Message
}

// batch collects what a body holds.
type batch struct {
	provider.Batch
	request *provider.Request
	ids     wire.IDs
	reports mime.ReportBudget
}

// Decode reads the list of events that a request holds.
func (webhook) Decode(r *provider.Request) provider.Batch {
	b := batch{request: r}
	for i, err := range wire.Items(r.Body) {
		if err == nil {
			err = b.add(i)
		}
		if err != nil {
			b.Undecodable = append(b.Undecodable, provider.Undecodable{Raw: i.Sent, Reason: err.Error()})
		}
	}
	return b.Batch
}

func (b *batch) add(sent wire.Item) error {
	i, err := classified(sent)
	if err != nil {
		return err
	}
	e := event.Event{Provider: Type, ProviderEvent: wire.First(i.data.Text("type"), i.class), Raw: i.Raw}
	wire.Seconds(i.data.Text("timestamp")).SetTime(&e, b.request.ReceivedAt)
	i.read(&e)
	if err := i.Doubt(); err != nil {
		return err
	}
	e.ID = b.ids.Unique(i.id(&e))
	reports := i.received.Reports(&e, &b.reports)
	b.Events = append(append(b.Events, e), reports...)
	return nil
}

// classified returns an item with its class; "" = msys is empty, as in the request that tries a webhook.
func classified(sent wire.Item) (*item, error) {
	i := &item{Item: sent}
	if text := i.JSON("msys"); text == "" || text[0] != '{' {
		return nil, errNoEvent
	}
	msys := i.Object.Object("msys")
	for name, text := range msys.Members() {
		if i.class != "" || name == "" || text == "" || text[0] != '{' {
			return nil, errClasses
		}
		i.class, i.data = name, msys.Object(name)
	}
	return i, nil
}

// read sets the type of an event and what it says. The class says no more than the type does, and real bodies have some under another
// class than the documents.
func (i *item) read(e *event.Event) {
	switch {
	case i.class == "":
		e.Type = event.Test
	case wire.EventName(i.class) == relayMessage:
		i.inbound(e)
	default:
		i.common(e)
		i.convert(e)
	}
}

// id returns the event's own id. An item without one is told apart by all that it says.
func (i *item) id(e *event.Event) string {
	if e.ProviderEventID = i.data.Text("event_id"); e.ProviderEventID != "" {
		return event.HashID(e.ProviderEventID, wire.EventName(e.ProviderEvent))
	}
	return i.Identity()
}

// common sets what all events share.
func (i *item) common(e *event.Event) {
	d := i.data
	e.Recipient = wire.First(d.Address("raw_rcpt_to"), d.Address("rcpt_to"))
	e.Sender = wire.First(d.Address("friendly_from"), d.Address("msg_from"))
	e.Subject = d.Text("subject")
	e.ProviderMessageID, e.CorrelationID = d.Text("message_id"), d.Text("transmission_id")
	e.Account = d.Text("customer_id")
	if sub := d.Text("subaccount_id"); sub != "" && sub != "0" {
		e.Account += "/" + sub
	}
	if campaign := d.Text("campaign_id"); campaign != "" {
		e.Tags = []string{campaign}
	}
	e.Tags = append(e.Tags, d.Texts("rcpt_tags")...)
	for name, text := range d.Object("rcpt_meta").Members() {
		wire.SetMetadata(e, name, text)
	}
	wire.KeepDetails(e, d, "template_id", "template_version", "rcpt_type", "msg_from", "sending_ip", "sending_domain", "ip_pool",
		"mailbox_provider", "mailbox_provider_region", "routing_domain", "delv_method", "recv_method", "injection_time", "scheduled_time",
		"transactional", "num_retries", "queue_time", "outbound_tls", "bounce_class", "remote_addr", "webhook_id")
}

// reader is what an event is called, and what reads it.
type reader struct {
	as   event.Type
	from func(*item, *event.Event)
}

// readers returns what is known of each event by its type. What is not listed is unknown: it is about no message that was sent.
func readers() map[string]reader {
	return map[string]reader{
		"injection":            {event.Accepted, (*item).reply},
		"delivery":             {event.Delivered, (*item).reply},
		"delay":                {event.Deferred, (*item).reply},
		"bounce":               {event.Bounced, (*item).bounce},
		"out_of_band":          {event.Bounced, (*item).bounce},
		"policy_rejection":     {event.Rejected, (*item).rejection},
		"generation_rejection": {event.Rejected, (*item).rejection},
		"generation_failure":   {event.Failed, (*item).reply},
		"spam_complaint":       {event.Complained, (*item).complaint},
		"open":                 {event.Opened, (*item).engagement},
		"initial_open":         {event.Opened, (*item).topPixel},
		"amp_open":             {event.Opened, (*item).engagement},
		"amp_initial_open":     {event.Opened, (*item).topPixel},
		"click":                {event.Clicked, (*item).engagement},
		"amp_click":            {event.Clicked, (*item).engagement},
		"list_unsubscribe":     {event.Unsubscribed, (*item).engagement},
		"link_unsubscribe":     {event.Unsubscribed, (*item).engagement},
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

// complaint reads what a feedback loop reports.
func (i *item) complaint(e *event.Event) {
	e.Complaint.FeedbackType = i.data.Text("fbtype")
	wire.KeepDetails(e, i.data, "report_by", "report_to", "user_str")
}

// engagement reads what a recipient did.
func (i *item) engagement(e *event.Event) {
	d := i.data
	e.URL, e.IP, e.UserAgent = d.Text("target_link_url"), d.Text("ip_address"), d.Text("user_agent")
	agent, geo := d.Object("user_agent_parsed"), d.Object("geo_ip")
	e.Client.Name = agent.Text("agent_family")
	if e.Client.OS = agent.Text("os_family"); e.Client.OS != "" && agent.Text("os_version") != "" {
		e.Client.OS += " " + agent.Text("os_version")
	}
	wire.KeepDetails(e, agent, "is_mobile", "is_proxy", "is_prefetched", "device_brand", "device_family")
	wire.KeepDetails(e, geo, "country", "region", "city", "postal_code")
	wire.KeepDetails(e, d, "target_link_name", "mailfrom")
}

// topPixel reads that the tracking image at the top of a mail was fetched; "open" is about the one at the bottom, which large mails lose.
// Neither says whether it is the first time.
func (i *item) topPixel(e *event.Event) {
	i.engagement(e)
	wire.SetDetail(e, "initial", "true")
}

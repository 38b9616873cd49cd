package alibabadirectmail

import (
	"errors"
	"strings"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

var errNoType = errors.New("the member type is missing: the target must get the complete event")

// Decode reads the event of a request, in the form of CloudEvents. Several in a list are read as well.
func (webhook) Decode(r *provider.Request) provider.Batch {
	var b provider.Batch
	var ids wire.IDs
	for item, err := range wire.Items(r.Body) {
		if err == nil {
			err = add(&b, &ids, &item, r)
		}
		if err != nil {
			b.Undecodable = append(b.Undecodable, provider.Undecodable{Raw: item.Sent, Reason: err.Error()})
		}
	}
	return b
}

func add(b *provider.Batch, ids *wire.IDs, item *wire.Item, r *provider.Request) error {
	e := event.Event{Provider: Type, ProviderEvent: item.Text("type"), Raw: item.Raw, ProviderEventID: item.Text("id")}
	if e.ProviderEvent == "" {
		return errNoType
	}
	data := item.Object.Object("data")
	at := wire.First(item.Text("time"), data.Text("block_time"), data.Text("operate_time"), data.Text("deliver_time"))
	wire.DateTime(beijing(at)).SetTime(&e, r.ReceivedAt)
	e.TimeRaw = at
	e.Account = item.Text("aliyunaccountid")
	message(&e, data)
	convert(&e, data)
	if err := item.Doubt(); err != nil {
		return err
	}
	e.ID = ids.Unique(identity(item))
	b.Events = append(b.Events, e)
	return nil
}

// identity returns the id of an event: that of its source and id (CloudEvents 1.0, "id"), beside the type. Without an id it rests on all that
// the event says but when and by whom it was published.
func identity(item *wire.Item) string {
	id := item.Text("id")
	if id == "" {
		return item.Identity(
			wire.Member{Object: item.Object, Name: "aliyunpublishtime"}, wire.Member{Object: item.Object, Name: "aliyunpublishaddr"},
		)
	}
	return event.HashID(strings.ToLower(item.Text("source")), strings.ToLower(item.Text("type")), id)
}

// beijing adds the zone of Beijing to a time that has none: such a one is the time of the event, in that zone.
func beijing(text string) string {
	const zoneless = "2006-01-02T15:04:05"
	if len(text) == len(zoneless) {
		return text + "+08:00"
	}
	return text
}

// message sets what all events of a message share. A report of a complaint has names of its own for some of it.
func message(e *event.Event, data wire.Object) {
	e.Recipient = wire.First(data.Address("rcpt"), data.Address("block_email"))
	e.Sender = wire.First(data.Address("from"), data.Address("send_email"))
	e.MessageID = wire.MessageID(wire.First(data.Text("msg_id"), data.Text("message_id")))
	e.ProviderMessageID = data.Text("env_id")
	e.URL, e.IP = data.Text("url"), data.Text("client_ip")
	e.Tags = data.Texts("tag")
	for name, value := range data.Object("header").Members() {
		wire.SetMetadata(e, name, value)
	}
	wire.KeepDetails(e, data, "account", "channel_name", "outbound_ip", "send_time", "deliver_time", "status", "region", "err_code", "failed_type", "esp", "ip_pool_id", "is_dedicated_ip")
}

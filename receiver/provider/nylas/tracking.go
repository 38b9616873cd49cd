package nylas

import (
	"strconv"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// tracked returns the converter of what recipients did with a message. Nylas does not say which of them. A reply has no name of its own in
// the vocabulary: it comes in as a message as well.
func tracked(t event.Type) func(*event.Event, *notice, element) {
	return func(e *event.Event, n *notice, delta element) {
		e.Type = t
		o := n.object
		if old := delta.Object.Object("object_data").Object("metadata"); old.JSON("message_id") != "" { // the form of version 2
			o = old
		}
		if e.ProviderMessageID = o.Text("message_id"); e.ProviderMessageID != "" {
			e.PartitionKey = e.Account + "/" + e.ProviderMessageID
		}
		if label := wire.First(o.Text("label"), o.Text("payload")); label != "" {
			e.Tags = []string{label}
		}
		wire.KeepDetails(e, o, "root_message_id", "reply_to_message_id", "thread_id", "from_self", "sender_app_id", "timestamp")
		wire.SetDetail(e, "count", wire.First(o.Object("message_data").Text("count"), o.Object("reply_data").Text("count")))
		act(e, o)
	}
}

// act sets who did it: the latest of the recent acts, in whatever order these are, and for a click its link.
func act(e *event.Event, o wire.Object) {
	latest, recents := -1, o.Objects("recents")
	for i := range recents {
		if latest < 0 || at(recents[i]) >= at(recents[latest]) {
			latest = i
		}
	}
	links := o.Objects("link_data")
	link := 0
	if latest >= 0 {
		e.IP, e.UserAgent = recents[latest].Text("ip"), recents[latest].Text("user_agent")
		if index, err := strconv.Atoi(recents[latest].Text("link_index")); err == nil {
			link = index
		}
	}
	if e.Type == event.Clicked && link >= 0 && link < len(links) {
		e.URL = links[link].Text("url")
		wire.SetDetail(e, "count", links[link].Text("count"))
	}
}

func at(recent wire.Object) int64 {
	seconds, _ := strconv.ParseInt(recent.Text("timestamp"), 10, 64)
	return seconds
}

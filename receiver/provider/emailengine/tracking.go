package emailengine

import (
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

type tracked struct {
	Recipient     wire.Text `json:"recipient"`
	MessageID     wire.Text `json:"messageId"`
	ListID        wire.Text `json:"listId"`
	URL           wire.Text `json:"url"`
	RemoteAddress wire.Text `json:"remoteAddress"`
	UserAgent     wire.Text `json:"userAgent"`
}

// tracking returns the converter of what somebody did with a message. Opens and clicks name no recipient.
func tracking(t event.Type) func(*event.Event, *notice) {
	return func(e *event.Event, n *notice) {
		data := dataOf[tracked](n)
		e.Type = t
		e.Recipient = data.Recipient.String()
		e.MessageID = wire.MessageID(data.MessageID)
		e.URL = data.URL.String()
		e.IP = data.RemoteAddress.String()
		e.UserAgent = data.UserAgent.String()
		wire.SetMetadata(e, "listId", data.ListID)
	}
}

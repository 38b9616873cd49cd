package emailengine

import (
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// tracking returns the converter of what somebody did with a message. Opens and clicks name no recipient.
func tracking(t event.Type) converter {
	return func(e *event.Event, n notice) {
		e.Type = t
		e.Recipient = n.data.Address("recipient")
		e.MessageID = wire.MessageID(n.data.Text("messageId"))
		e.URL = n.data.Text("url")
		e.IP = n.data.Text("remoteAddress")
		e.UserAgent = n.data.Text("userAgent")
		wire.KeepDetails(e, n.data, "listId")
	}
}

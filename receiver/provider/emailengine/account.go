package emailengine

import (
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// account returns the converter of what happened to an account.
func account(t event.Type) converter {
	return func(e *event.Event, n notice) {
		e.Type = t
		if e.Account == "" {
			e.Account = n.data.Text("account")
		}
		e.Reason = n.data.Text("response")
		wire.KeepDetails(e, n.data, "user", "serverResponseCode")
	}
}

// export returns the converter of what became of an export.
func export(t event.Type) converter {
	return func(e *event.Event, n notice) {
		e.Type = t
		e.Reason = n.data.Text("error")
		wire.KeepDetails(e, n.data, "exportId", "phase", "errorCode", "messagesExported", "messagesSkipped", "messagesQueued",
			"bytesWritten", "expiresAt")
	}
}

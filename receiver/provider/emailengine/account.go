package emailengine

import (
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

type accountState struct {
	Account            wire.Text `json:"account"`
	User               wire.Text `json:"user"`
	Response           wire.Text `json:"response"`
	ServerResponseCode wire.Text `json:"serverResponseCode"`
}

// account returns the converter of what happened to an account.
func account(t event.Type) func(*event.Event, *notice) {
	return func(e *event.Event, n *notice) {
		a := dataOf[accountState](n)
		e.Type = t
		if e.Account == "" {
			e.Account = a.Account.String()
		}
		e.Reason = a.Response.String()
		wire.SetMetadata(e, "user", a.User)
		wire.SetMetadata(e, "serverResponseCode", a.ServerResponseCode)
	}
}

type exported struct {
	ExportID         wire.Text `json:"exportId"`
	Phase            wire.Text `json:"phase"`
	Error            wire.Text `json:"error"`
	ErrorCode        wire.Text `json:"errorCode"`
	MessagesExported wire.Text `json:"messagesExported"`
	MessagesSkipped  wire.Text `json:"messagesSkipped"`
	MessagesQueued   wire.Text `json:"messagesQueued"`
	BytesWritten     wire.Text `json:"bytesWritten"`
	ExpiresAt        wire.Text `json:"expiresAt"`
}

// export returns the converter of what became of an export.
func export(t event.Type) func(*event.Event, *notice) {
	return func(e *event.Event, n *notice) {
		x := dataOf[exported](n)
		e.Type = t
		e.Reason = x.Error.String()
		wire.SetMetadata(e, "exportId", x.ExportID)
		wire.SetMetadata(e, "phase", x.Phase)
		wire.SetMetadata(e, "errorCode", x.ErrorCode)
		wire.SetMetadata(e, "messagesExported", x.MessagesExported)
		wire.SetMetadata(e, "messagesSkipped", x.MessagesSkipped)
		wire.SetMetadata(e, "messagesQueued", x.MessagesQueued)
		wire.SetMetadata(e, "bytesWritten", x.BytesWritten)
		wire.SetMetadata(e, "expiresAt", x.ExpiresAt)
	}
}

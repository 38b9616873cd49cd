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
		// How the request for an OAuth2 token failed; what it answered is in the raw event.
		request := n.data.Object("tokenRequest")
		for _, name := range []string{"grant", "provider", "status"} {
			wire.SetDetail(e, "tokenRequest."+name, request.Text(name))
		}
	}
}

// export returns the converter of what became of an export.
func export(t event.Type) converter {
	return func(e *event.Event, n notice) {
		e.Type = t
		e.Reason = n.data.Text("error")
		wire.KeepDetails(e, n.data, "exportId", "phase", "errorCode", "startDate", "endDate", "duration",
			"messagesExported", "messagesSkipped", "messagesQueued", "bytesWritten", "expiresAt")
		wire.SetDetailList(e, "folders", n.data.Texts("folders"))
	}
}

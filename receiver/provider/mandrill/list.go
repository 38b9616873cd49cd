package mandrill

import (
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// list reads a change of the rejection denylist, or of the allowlist. The latter is no suppression list: who leaves it is not suppressed,
// and who enters it may have asked another sender of the account for no more mail.
func (i *item) list(e *event.Event) {
	reject, entry := i.Object.Object("reject"), i.Object.Object("entry")
	e.Type = event.Unknown
	if wire.EventName(e.ProviderEvent) == "blacklist" {
		e.Type = suppression(i.Text("action"), reject.Text("expired"))
	}
	e.Recipient = wire.First(reject.Address("email"), entry.Address("email"))
	e.Sender, e.Account = reject.Address("sender"), reject.Text("subaccount")
	e.Reason, e.Diagnostic = reject.Text("reason"), reject.Text("detail")
	e.SMTPCode, e.EnhancedCode = wire.SMTPReply(e.Diagnostic)
	wire.KeepDetails(e, i.Object, "type", "action")
	wire.KeepDetails(e, reject, "created_at", "last_event_at", "expires_at", "expired")
	wire.KeepDetails(e, entry, "created_at", "detail")
}

// suppression returns what an entry of the denylist means after a change: it holds until it is removed or says that it has expired.
func suppression(action, expired string) event.Type {
	switch wire.EventName(action) {
	case "add", "change":
		if expired == "true" {
			return event.SuppressionRemoved
		}
		return event.SuppressionAdded
	case "remove":
		return event.SuppressionRemoved
	default:
		return event.Unknown
	}
}

package sendgrid

import (
	"slices"
	"strings"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// kind is what the name of an event stands for.
type kind struct {
	is event.Type
	// members are those of SendGrid that events of this name alone have. In others the names are the sender's to choose.
	members []string
}

// kindOf returns the kind of a name.
func kindOf(name string) kind {
	name = wire.EventName(name)
	switch name {
	case "processed":
		return kind{event.Accepted, []string{"pool", "send_at"}}
	case "delivered":
		return kind{event.Delivered, []string{"response"}}
	case "deferred":
		return kind{event.Deferred, []string{"response", "reason", "status", "attempt", "domain", "from"}}
	case "bounce":
		return kind{event.Bounced, []string{"reason", "status", "type", "bounce_classification"}}
	case "dropped":
		return kind{event.Rejected, []string{"reason", "status"}}
	case "account_status_change":
		return kind{event.AccountStatusChanged, []string{"type"}}
	default:
		return engagement(name)
	}
}

// engagement returns the kind of what a recipient did.
func engagement(name string) kind {
	switch name {
	case "open":
		return kind{is: event.Opened}
	case "click":
		return kind{event.Clicked, []string{"url", "url_offset"}}
	case "spamreport", "spam_report":
		return kind{is: event.Complained}
	case "unsubscribe":
		return kind{is: event.Unsubscribed}
	case "group_unsubscribe":
		return kind{event.Unsubscribed, []string{"url"}}
	case "group_resubscribe":
		return kind{event.Resubscribed, []string{"url"}}
	default:
		return kind{event.Unknown, []string{"pool", "send_at", "response", "reason", "status", "attempt", "domain", "from", "type", "bounce_classification", "url", "url_offset"}}
	}
}

// members reads what has no field of its own. SendGrid puts its members and what the sender attached side by side.
func (i *item) members(e *event.Event, k kind) {
	marketing := i.Text("mc_stats") != "" || i.Text("singlesend_id") != ""
	if sent := strings.TrimSpace(i.Text("sg_message_id")); sent != e.ProviderMessageID {
		wire.SetDetail(e, "sg_message_id", sent)
	}
	for name, text := range i.Members() {
		switch {
		case isField(name), isRead(e, name, text):
		case isSendGrids(name), marketing && isMarketing(name), slices.Contains(k.members, name):
			wire.SetDetail(e, name, text)
		default:
			wire.SetMetadata(e, name, text)
		}
	}
}

// isRead reports whether the value of a member that only some events have is in a field of the event.
func isRead(e *event.Event, name, text string) bool {
	switch name {
	case "ip":
		return text == e.IP
	case "url":
		return text == e.URL
	case "response", "reason":
		return strings.TrimSpace(text) == e.Diagnostic || text == e.Reason
	default:
		return false
	}
}

// isField reports whether the member of a name is read into a field of every event.
func isField(name string) bool {
	switch name {
	case "email", "timestamp", "event", "sg_event_id", "sg_message_id", "smtp-id", "category", "useragent":
		return true
	default:
		return false
	}
}

// isSendGrids reports whether the member of a name is SendGrid's in every event.
func isSendGrids(name string) bool {
	switch name {
	case "ip", "tls", "asm_group_id", "marketing_campaign_id", "marketing_campaign_name", "singlesend_id", "singlesend_name", "mc_stats", "newsletter":
		return true
	default:
		return strings.HasPrefix(name, "sg_")
	}
}

// isMarketing reports whether the member of a name is SendGrid's in events of Marketing Campaigns.
func isMarketing(name string) bool {
	switch name {
	case "template_id", "phase_id", "send_at":
		return true
	default:
		return strings.HasPrefix(name, "mc_")
	}
}

package emailengine

import (
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// messageBounce: a delivery status notification came in that is, or may be, a bounce.
func messageBounce(e *event.Event, n notice) {
	response := n.data.Object("response")
	if n.data.JSON("messageHeaders") != "" {
		setOriginal(e, headersOf(n.data.Object("messageHeaders")))
	}
	e.Recipient = wire.First(n.data.Address("recipient"), e.Recipient)
	e.MessageID = wire.First(wire.MessageID(n.data.Text("messageId")), e.MessageID)
	setReply(e, response.Text("status"), response.Text("message"))
	setOutcome(e, n.data.Text("action"), verdict{
		status:   wire.First(response.Text("status"), e.EnhancedCode),
		category: response.Text("category"),
		action:   response.Text("recommendedAction"),
	})
	wire.KeepDetails(e, n.data, "action", "bounceMessage", "mta")
	wire.KeepDetails(e, response, "source", "category", "recommendedAction", "retryAfter")
	if response.JSON("blocklist") != "" {
		setBlocklist(e, response.Object("blocklist"))
	}
	// This queue is the remote server's, unlike the queueId of a submission, so it must not pass for a message id.
	wire.SetDetail(e, "mtaQueueId", n.data.Text("queueId"))
}

// setReply sets what a server said, and the codes in it. A status of its own outweighs the one in the words.
func setReply(e *event.Event, status, words string) {
	e.Diagnostic = words
	e.SMTPCode, e.EnhancedCode = wire.SMTPReply(words)
	e.EnhancedCode = wire.First(wire.EnhancedCode(status), e.EnhancedCode)
}

// setOutcome sets what the Action of a report says (RFC 3464 section 2.3.3). A report without one is taken for a bounce.
func setOutcome(e *event.Event, action string, v verdict) {
	e.Type = wire.ReportedType(action)
	if e.Type == event.Bounced {
		e.Bounce = event.Bounce{Type: v.bounceType(e.SMTPCode), Category: v.category}
	}
}

// verdict is what is known of a refusal: the status of the report, and what EmailEngine's classifier makes of the words.
type verdict struct{ status, category, action string }

func (v verdict) bounceType(code int) event.BounceType {
	byCodes := wire.BounceType(v.status, code)
	switch v.category {
	case "user_unknown", "invalid_address":
		return event.Hard
	case "ip_blacklisted", "domain_blacklisted", "auth_failure", "relay_denied", "spam_blocked", "policy_blocked", "virus_detected", "geo_blocked":
		return event.Soft // refused for the sender or the content, not for the address
	case "mailbox_full", "greylisting", "rate_limited", "server_error":
		if byCodes == event.Undetermined {
			return event.Soft
		}
	}
	if byCodes == event.Undetermined && v.action == "remove" {
		return event.Hard
	}
	return byCodes
}

// setBlocklist keeps the names of the lists that block the sender. Version 2.74 has an object of lists, others have one list alone.
func setBlocklist(e *event.Event, blocklist wire.Object) {
	lists := append(blocklist.Objects("lists"), blocklist)
	var names, types []string
	for _, list := range lists {
		names = appendNew(names, list.Text("name"))
		types = appendNew(types, list.Text("type"))
	}
	wire.SetDetailList(e, "blocklist", names)
	wire.SetDetailList(e, "blocklist.type", types)
}

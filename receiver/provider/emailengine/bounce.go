package emailengine

import (
	"strings"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// messageBounce: a delivery status notification came in. Its action is the Action of RFC 3464 section 2.3.3.
func messageBounce(e *event.Event, n notice) {
	response := n.data.Object("response")
	e.Recipient = n.data.Text("recipient")
	e.MessageID = wire.MessageID(n.data.Text("messageId"))
	e.Diagnostic = response.Text("message")
	code, enhanced := wire.SMTPReply(e.Diagnostic)
	e.SMTPCode = code
	if e.EnhancedCode = wire.EnhancedCode(response.Text("status")); e.EnhancedCode == "" {
		e.EnhancedCode = enhanced
	}
	switch strings.ToLower(n.data.Text("action")) {
	case "delayed":
		e.Type = event.Deferred
	case "delivered", "relayed", "expanded":
		e.Type = event.Delivered
	default:
		e.Type = event.Bounced
		e.Bounce = bounceOf(response.Text("status"), response.Text("category"))
	}
	wire.KeepDetails(e, n.data, "action", "bounceMessage", "mta")
	wire.KeepDetails(e, response, "source", "category", "recommendedAction", "retryAfter")
	wire.SetDetail(e, "blocklist", response.Object("blocklist").Text("name"))
	// This queue is the remote server's, unlike the queueId of a submission, so it must not pass for a message id.
	wire.SetDetail(e, "mtaQueueId", n.data.Text("queueId"))
}

// bounceOf classifies by the status, and where there is none by the category.
func bounceOf(status, category string) event.Bounce {
	b := event.Bounce{Type: event.Undetermined, Category: category}
	switch status = strings.TrimSpace(status); {
	case strings.HasPrefix(status, "5."):
		b.Type = event.Hard
	case strings.HasPrefix(status, "4."):
		b.Type = event.Soft
	case status == "" && temporary(category):
		b.Type = event.Soft
	}
	return b
}

// temporary says whether a category of EmailEngine's bounce classifier passes with time.
func temporary(category string) bool {
	switch category {
	case "mailbox_full", "greylisting", "rate_limited", "server_error":
		return true
	default:
		return false
	}
}

package emailengine

import (
	"strings"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

type bounce struct {
	BounceMessage wire.Text                   `json:"bounceMessage"`
	Recipient     wire.Text                   `json:"recipient"`
	Action        wire.Text                   `json:"action"`
	Response      wire.Object[bounceResponse] `json:"response"`
	MTA           wire.Text                   `json:"mta"`
	QueueID       wire.Text                   `json:"queueId"`
	MessageID     wire.Text                   `json:"messageId"`
}

type bounceResponse struct {
	Source            wire.Text `json:"source"`
	Message           wire.Text `json:"message"`
	Status            wire.Text `json:"status"`
	Category          wire.Text `json:"category"`
	RecommendedAction wire.Text `json:"recommendedAction"`
	RetryAfter        wire.Text `json:"retryAfter"`
	Blocklist         wire.Object[struct {
		Name wire.Text `json:"name"`
	}] `json:"blocklist"`
}

// messageBounce: a delivery status notification came in. Its action is the Action of RFC 3464 section 2.3.3.
func messageBounce(e *event.Event, n *notice) {
	b := dataOf[bounce](n)
	response := &b.Response.Value
	e.Recipient = b.Recipient.String()
	e.MessageID = wire.MessageID(b.MessageID)
	e.Diagnostic = response.Message.String()
	code, enhanced := wire.SMTPReply(e.Diagnostic)
	e.SMTPCode = code
	if e.EnhancedCode = wire.EnhancedCode(response.Status.String()); e.EnhancedCode == "" {
		e.EnhancedCode = enhanced
	}
	switch strings.ToLower(b.Action.String()) {
	case "delayed":
		e.Type = event.Deferred
	case "delivered", "relayed", "expanded":
		e.Type = event.Delivered
	default:
		e.Type = event.Bounced
		e.Bounce = bounceOf(response)
	}
	wire.SetMetadata(e, "action", b.Action)
	wire.SetMetadata(e, "bounceMessage", b.BounceMessage)
	wire.SetMetadata(e, "source", response.Source)
	wire.SetMetadata(e, "category", response.Category)
	wire.SetMetadata(e, "recommendedAction", response.RecommendedAction)
	wire.SetMetadata(e, "retryAfter", response.RetryAfter)
	wire.SetMetadata(e, "blocklist", response.Blocklist.Value.Name)
	wire.SetMetadata(e, "mta", b.MTA)
	// This queue is the remote server's, unlike the queueId of a submission, so it must not pass for a message id.
	wire.SetMetadata(e, "mtaQueueId", b.QueueID)
}

// bounceOf classifies by the status, and where there is none by the category.
func bounceOf(response *bounceResponse) event.Bounce {
	b := event.Bounce{Type: event.Undetermined, Category: response.Category.String()}
	switch status := strings.TrimSpace(response.Status.String()); {
	case strings.HasPrefix(status, "5."):
		b.Type = event.Hard
	case strings.HasPrefix(status, "4."):
		b.Type = event.Soft
	case status == "" && temporary(b.Category):
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

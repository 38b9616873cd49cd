package tencentses

import (
	"errors"
	"mime"
	"strings"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/refusal"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

var errNoEvent = errors.New("neither event nor eventid is there")

// customHeader is the field of a message's header that is handed back: what its sender attached.
const customHeader = "X-Tencentcloudses-Cb-Custom"

// Decode reads the event of a request. Several in a list are read as well.
func (webhook) Decode(r *provider.Request) provider.Batch {
	var b provider.Batch
	var ids wire.IDs
	for item, err := range wire.Items(r.Body) {
		if err == nil {
			err = add(&b, &ids, &item, r)
		}
		if err != nil {
			b.Undecodable = append(b.Undecodable, provider.Undecodable{Raw: item.Sent, Reason: err.Error()})
		}
	}
	return b
}

func add(b *provider.Batch, ids *wire.IDs, item *wire.Item, r *provider.Request) error {
	name, number := item.Text("event"), item.Text("eventid")
	if name == "" && number == "" {
		return errNoEvent
	}
	e := event.Event{Provider: Type, ProviderEvent: wire.First(name, number), Raw: item.Raw, Type: typeOf(name, number)}
	wire.DateTime(item.Text("timestamp")).SetTime(&e, r.ReceivedAt)
	wire.SetRecipients(&e, item.Addresses("email"))
	if e.Recipient != "" {
		e.Recipients = nil
	}
	e.Sender, e.Subject = item.Address("from"), subject(item.Text("subject"))
	e.MessageID, e.ProviderMessageID = wire.MessageID(item.Text("messageId")), wire.First(item.Text("bulkId"), item.Text("bulkid"))
	e.Account, e.URL, e.UserAgent = item.Text("username"), item.Text("link"), item.Text("useragent")
	attached(&e, item.Text(customHeader))
	wire.KeepDetails(&e, item.Object, "bounceType", "fromDomain", "templateId", "taskId", "eventid", "sentTimestamp")
	outcome(&e, item.Object)
	if err := item.Doubt(); err != nil {
		return err
	}
	e.ID = ids.Unique(item.Identity())
	b.Events = append(b.Events, e)
	return nil
}

// typeOf returns the type of an event, by its name or, where it has none, by its number.
func typeOf(name, number string) event.Type {
	if name == "" {
		name = nameOf(number)
	}
	switch wire.EventName(name) {
	case "processed":
		return event.Accepted
	case "deferred":
		return event.Deferred
	case "delivered":
		return event.Delivered
	case "dropped":
		return event.Rejected
	case "bounce":
		return event.Bounced
	case "open":
		return event.Opened
	case "click":
		return event.Clicked
	case "spamreport":
		return event.Complained
	case "unsubscribe":
		return event.Unsubscribed
	default:
		return event.Unknown
	}
}

// nameOf returns the name of the event that a number stands for; "" when the page lists none.
func nameOf(number string) string {
	return map[string]string{
		"1": "delivered", "2": "dropped", "3": "bounce", "4": "open", "5": "click", "6": "spamreport", "7": "unsubscribe", "8": "deferred",
	}[number]
}

// outcome reads why a message did not arrive.
func outcome(e *event.Event, o wire.Object) {
	reason := strings.TrimSpace(o.Text("reason"))
	switch e.Type {
	case event.Bounced:
		e.Diagnostic = reason
		e.SMTPCode, e.EnhancedCode = wire.SMTPReply(reason)
		e.Bounce = event.Bounce{
			Type:     bounceType(wire.EventName(o.Text("bounceType")), e),
			Category: refusal.Category(e),
		}
	case event.Deferred:
		e.Diagnostic = reason
		e.SMTPCode, e.EnhancedCode = wire.SMTPReply(reason)
	case event.Rejected:
		e.Reason, e.Reject.Reason = reason, rejectReason(reason)
	default:
		e.Reason = reason
	}
}

// bounceType returns what Tencent says of a bounce, in the words of either page, and else what the server's reply says.
func bounceType(said string, e *event.Event) event.BounceType {
	switch said {
	case "hard_bounce", "hard":
		return event.Hard
	case "soft_bounce", "soft":
		return event.Soft
	default:
		return refusal.Classify(e).Type
	}
}

// rejectReason returns what the words for a drop say. The page lists none.
func rejectReason(text string) event.RejectReason {
	text = strings.ToLower(text)
	switch {
	case strings.Contains(text, "unsubscribe"):
		return event.UnsubscribedAddress
	case strings.Contains(text, "blacklist"), strings.Contains(text, "blocklist"):
		return event.SuppressedBounce
	default:
		return event.OtherReason
	}
}

// subject returns a subject line, which is in encoded words (RFC 2047) where it is not ASCII. One that cannot be decoded stays as it is.
func subject(text string) string {
	if decoded, err := new(mime.WordDecoder).DecodeHeader(text); err == nil {
		return decoded
	}
	return text
}

// attached reads what the sender of a message attached: the members of an object under their names, any other text under that of the
// header.
func attached(e *event.Event, text string) {
	err := wire.Single([]byte(text), func(o wire.Item) error {
		for name, value := range o.Members() {
			wire.SetMetadata(e, name, value)
		}
		return nil
	})
	if err != nil {
		wire.SetMetadata(e, customHeader, text)
	}
}

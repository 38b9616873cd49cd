package engagelab

import (
	"errors"
	"slices"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// The values of message_status.
const (
	target       = "target"
	sent         = "sent"
	delivered    = "delivered"
	invalidEmail = "invalid_email"
	softBounce   = "soft_bounce"
)

// detail returns a member of the error. The tables of the documentation put them beside message_status, the examples into
// error_detail; both are read.
func (c *callback) detail(name string) string {
	return wire.First(c.status.Object("error_detail").Text(name), c.status.Text(name))
}

func (c *callback) subStat() string {
	return wire.First(c.detail("sub_stat"), c.status.Text("error_code"))
}

// target turns the acceptance of a request into one event per recipient, each with what the item says of that one. From and subject
// are in its data, not around it.
func (b *batch) target(e event.Event, c *callback) error {
	e.Type = event.Accepted
	tos, emailIDs := wire.Member{Object: c.data, Name: "tos"}, wire.Member{Object: c.data, Name: "email_ids"}
	recipients := c.Parallel(tos, emailIDs)
	if err := errors.Join(c.Doubt(), b.fanOut.Take(&recipients)); err != nil {
		return err
	}
	recipients.Align(0, 1, recipientOf)
	id := c.Identity(tos, emailIDs)
	b.Events = slices.Grow(b.Events, recipients.Len())
	for i := range recipients.Len() {
		one := e
		to, emailID := recipients.Text(0, i), recipients.Text(1, i)
		one.Raw = recipients.Raw(i)
		one.Recipient = wire.First(recipientOf(emailID), wire.Address(to), e.Recipient)
		// Its message id has no index. The events of the recipients, of which it is the first, have one that cannot be told from digits
		// that the send id ends in.
		one.ProviderMessageID = withoutIndex(c.Text("message_id"))
		if recipientOf(emailID) != "" {
			one.ProviderMessageID = sendID(emailID)
		}
		if one.ID = event.HashID(id, to, emailID); to == "" && emailID == "" {
			one.ID = c.Identity()
		}
		one.ID = b.ids.Unique(one.ID)
		b.Events = append(b.Events, one)
	}
	return nil
}

// convertStatus reads what became of a message to one recipient.
func (c *callback) convertStatus(e *event.Event) {
	switch wire.EventName(e.ProviderEvent) {
	case sent:
		e.Type = event.Sent
	case delivered:
		e.Type = event.Delivered
	case invalidEmail:
		c.failure(e, event.Hard)
	case softBounce:
		c.failure(e, event.Soft)
	default:
		e.Type = event.Unknown
	}
}

// failure classifies by the error's subcategory. "invalid_email" is the provider's name of every final failure, not only of
// those of the address.
func (c *callback) failure(e *event.Event, t event.BounceType) {
	e.Reason = c.detail("sub_stat_desc")
	e.Diagnostic = c.detail("message")
	e.SMTPCode, e.EnhancedCode = wire.SMTPReply(e.Diagnostic)
	subStat := c.subStat()
	wire.SetDetail(e, "sub_stat", subStat)
	if reason, rejected := rejectReason(subStat); rejected {
		e.Type = event.Rejected
		e.Reject.Reason = reason
		return
	}
	e.Type = event.Bounced
	e.Bounce = event.Bounce{Type: t, Category: category(subStat)}
	if isBlock(subStat) {
		e.Bounce.Type = event.Soft
	}
}

// isBlock reports whether a subcategory tells of the sender: the address is there, and may take the next mail.
func isBlock(subStat string) bool { return subStat == "405" || subStat == "407" || subStat == "408" }

// rejectReason says which subcategories mean that nothing was attempted.
func rejectReason(subStat string) (reason event.RejectReason, rejected bool) {
	switch subStat {
	case "401":
		return event.SuppressedBounce, true
	case "402":
		return event.UnsubscribedAddress, true
	case "404":
		return event.InvalidAddress, true
	default:
		return "", false
	}
}

// category names the subcategory of a bounce; 4xx and 5xx differ only in whether it is final.
func category(subStat string) string {
	switch subStat {
	case "403", "503":
		return event.CategoryConnection
	case "405", "505":
		return event.CategoryReputation
	case "406", "506":
		return event.CategoryUserUnknown
	case "407", "507":
		return event.CategorySpam
	case "408", "508":
		return event.CategoryPolicy
	default:
		return event.CategoryOther
	}
}

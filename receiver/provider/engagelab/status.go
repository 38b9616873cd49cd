package engagelab

import (
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

// status is what became of a message. The tables of the documentation put the error's fields beside message_status, the
// examples into error_detail; both are read.
type status struct {
	MessageStatus wire.Text                `json:"message_status"`
	ErrorCode     wire.Text                `json:"error_code"`
	Detail        wire.Object[errorDetail] `json:"error_detail"`
	Data          wire.Object[data]        `json:"status_data"`
	errorDetail
}

type errorDetail struct {
	SubStat     wire.Text `json:"sub_stat"`
	Message     wire.Text `json:"message"`
	SubStatDesc wire.Text `json:"sub_stat_desc"`
}

func (s *status) subStat() wire.Text {
	return wire.Text(wire.First(s.Detail.Value.SubStat, s.SubStat, s.ErrorCode))
}

// target turns the acceptance of a request into one event per recipient. From and subject are in its data, not around it.
func (b *batch) target(e event.Event, c *callback) {
	d := &c.Status.Value.Data.Value
	e.Type = event.Accepted
	e.ProviderEvent = target
	c.common(&e, d)
	n := max(len(d.Tos), len(d.EmailIDs), 1)
	if !wire.FansOut(e.Raw, n) {
		e.Recipients = d.Tos
		e.ID = b.ids.Unique(c.id(&e, ""))
		b.Events = append(b.Events, e)
		return
	}
	for i := range n {
		one := e
		emailID := at(d.EmailIDs, i)
		one.Recipient = wire.First(wire.Text(at(d.Tos, i)), wire.Text(recipientOf(emailID)), c.To)
		one.ID = b.ids.Unique(c.id(&one, wire.First(wire.Text(emailID), wire.Text(one.Recipient))))
		b.Events = append(b.Events, one)
	}
}

func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}

// status fills an event from a status about one recipient.
func (c *callback) status(e *event.Event) {
	s := &c.Status.Value
	e.ProviderEvent = s.MessageStatus.String()
	c.common(e, &s.Data.Value)
	switch s.MessageStatus {
	case sent:
		e.Type = event.Sent
	case delivered:
		e.Type = event.Delivered
	case invalidEmail:
		s.failure(e, event.Hard)
	case softBounce:
		s.failure(e, event.Soft)
	default:
		e.Type = event.Unknown
	}
}

// failure classifies by the error's subcategory. "invalid_email" is the provider's name of every final failure, not only of
// those of the address.
func (s *status) failure(e *event.Event, t event.BounceType) {
	e.Reason = wire.First(s.Detail.Value.SubStatDesc, s.SubStatDesc)
	e.Diagnostic = wire.First(s.Detail.Value.Message, s.Message)
	e.SMTPCode, e.EnhancedCode = wire.SMTPReply(e.Diagnostic)
	subStat := s.subStat()
	wire.SetMetadata(e, "sub_stat", subStat)
	if reason, rejected := rejectReason(subStat); rejected {
		e.Type = event.Rejected
		e.Reject.Reason = reason
		return
	}
	e.Type = event.Bounced
	e.Bounce = event.Bounce{Type: t, Category: category(subStat)}
}

// rejectReason says which subcategories mean that nothing was attempted.
func rejectReason(subStat wire.Text) (reason event.RejectReason, rejected bool) {
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
func category(subStat wire.Text) string {
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

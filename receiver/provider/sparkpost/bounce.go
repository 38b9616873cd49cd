package sparkpost

import (
	"strings"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/refusal"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// reply reads a server's own words, and SparkPost's shorter version of them.
func (i *item) reply(e *event.Event) {
	e.Diagnostic, e.Reason = i.data.Text("raw_reason"), i.data.Text("reason")
	e.SMTPCode, e.EnhancedCode = wire.SMTPReply(e.Diagnostic)
	if code := wire.SMTPCode(i.data.Text("error_code")); code != 0 {
		e.SMTPCode = code
	}
}

// rejection reads that SparkPost did not send a message.
func (i *item) rejection(e *event.Event) {
	i.reply(e)
	e.Reject.Reason = event.PolicyViolation
	if isSuppressed(e) {
		e.Reject.Reason = event.SuppressedBounce
	}
}

// isSuppressed reports whether a reason speaks of the list of suppressed addresses.
func isSuppressed(e *event.Event) bool {
	return strings.Contains(strings.ToLower(e.Diagnostic), "suppressed") || strings.Contains(strings.ToLower(e.Reason), "suppressed")
}

// meaning is what a class of bounces says.
type meaning struct {
	is     event.Type
	bounce event.Bounce
}

// bounce reads a refusal, at once or by a later report, of which many are none. The class says what it is, or else the codes do.
func (i *item) bounce(e *event.Event) {
	i.reply(e)
	m, known := classes()[i.data.Text("bounce_class")]
	if !known {
		m = meaning{event.Bounced, event.Bounce{Type: refusal.Classify(e).Type}}
	}
	e.Type, e.Bounce = m.is, m.bounce
	if e.Type == event.Bounced && e.Bounce.Category == "" {
		e.Bounce.Category = refusal.Category(e)
	}
}

// classes are the documented values of bounce_class. A block, and a failure by the customer's own policy, say nothing of the address.
func classes() map[string]meaning {
	bounced := func(t event.BounceType, category string) meaning {
		return meaning{event.Bounced, event.Bounce{Type: t, Category: category}}
	}
	return map[string]meaning{
		"1":   bounced(event.Undetermined, ""),
		"10":  bounced(event.Hard, event.CategoryUserUnknown),
		"20":  bounced(event.Soft, ""),
		"21":  bounced(event.Soft, event.CategoryConnection),
		"22":  bounced(event.Soft, event.CategoryMailboxFull),
		"23":  bounced(event.Soft, event.CategoryContent),
		"24":  bounced(event.Soft, event.CategoryConnection),
		"25":  bounced(event.Soft, event.CategoryPolicy),
		"30":  bounced(event.Hard, event.CategoryUserUnknown),
		"40":  bounced(event.Soft, ""),
		"50":  bounced(event.Soft, event.CategoryReputation),
		"51":  bounced(event.Soft, event.CategorySpam),
		"52":  bounced(event.Soft, event.CategorySpam),
		"53":  bounced(event.Soft, event.CategoryContent),
		"54":  bounced(event.Soft, event.CategoryPolicy),
		"60":  {is: event.Autoresponded},
		"70":  bounced(event.Soft, ""),
		"80":  {is: event.Resubscribed},
		"90":  {is: event.Unsubscribed},
		"100": {is: event.Autoresponded},
	}
}

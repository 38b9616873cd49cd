package postmark

import (
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/refusal"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// meaning is what a Type of a bounce says.
type meaning struct {
	is event.Type
	// bounce is what an event of type Bounced says; without a category the server's reply says it.
	bounce event.Bounce
	reject event.RejectReason
}

// bounce reads a record of type Bounce, of which many are none. The Type says what it is, or else the TypeCode.
func (r *record) bounce(e *event.Event) {
	r.reply(e)
	e.Sender = r.Address("From")
	e.Reason = r.Text("Description")
	e.ProviderEventID = r.Text("ID")
	wire.KeepDetails(e, r.Object, "Type", "TypeCode", "Name", "Inactive", "CanActivate", "DumpAvailable")
	m, known := wire.Known(types(), r.Text("Type"))
	if !known {
		m, known = types()[typeOf(r.Text("TypeCode"))]
	}
	if !known {
		m = meaning{is: event.Bounced, bounce: event.Bounce{Type: refusal.Classify(e).Type}}
	}
	e.Type, e.Bounce, e.Reject.Reason = m.is, m.bounce, m.reject
	if e.Type == event.Bounced && e.Bounce.Category == "" {
		e.Bounce.Category = refusal.Category(e)
	}
}

// types are the documented values of Type. A message that a server or a policy does not want says nothing of the address: it is soft.
func types() map[string]meaning {
	bounced := func(t event.BounceType, category string) meaning {
		return meaning{is: event.Bounced, bounce: event.Bounce{Type: t, Category: category}}
	}
	rejected := func(reason event.RejectReason) meaning { return meaning{is: event.Rejected, reject: reason} }
	return map[string]meaning{
		"HardBounce":              bounced(event.Hard, event.CategoryUserUnknown),
		"SoftBounce":              bounced(event.Soft, ""),
		"Unknown":                 bounced(event.Undetermined, ""),
		"Blocked":                 bounced(event.Soft, event.CategoryReputation),
		"SpamNotification":        bounced(event.Soft, event.CategorySpam),
		"VirusNotification":       bounced(event.Soft, event.CategoryContent),
		"DMARCPolicy":             bounced(event.Soft, event.CategoryPolicy),
		"Transient":               {is: event.Deferred},
		"DnsError":                {is: event.Deferred},
		"OpenRelayTest":           {is: event.Deferred},
		"SpamComplaint":           {is: event.Complained},
		"BadEmailAddress":         rejected(event.InvalidAddress),
		"ManuallyDeactivated":     rejected(event.OtherReason),
		"Unconfirmed":             rejected(event.OtherReason),
		"SMTPApiError":            rejected(event.OtherReason),
		"TemplateRenderingFailed": {is: event.Failed},
		"InboundError":            {is: event.Failed},
		"AutoResponder":           {is: event.Autoresponded},
		"AddressChange":           {is: event.Autoresponded},
		"ChallengeVerification":   {is: event.Autoresponded},
		"Unsubscribe":             {is: event.Unsubscribed},
		"Subscribe":               {is: event.Resubscribed},
	}
}

// typeOf returns the Type that a TypeCode stands for, "" when it is not documented.
func typeOf(code string) string {
	return map[string]string{
		"1": "HardBounce", "2": "Transient", "16": "Unsubscribe", "32": "Subscribe", "64": "AutoResponder", "128": "AddressChange",
		"256": "DnsError", "512": "SpamNotification", "1024": "OpenRelayTest", "2048": "Unknown", "4096": "SoftBounce",
		"8192": "VirusNotification", "16384": "ChallengeVerification", "100000": "BadEmailAddress", "100001": "SpamComplaint",
		"100002": "ManuallyDeactivated", "100003": "Unconfirmed", "100006": "Blocked", "100007": "SMTPApiError",
		"100008": "InboundError", "100009": "DMARCPolicy", "100010": "TemplateRenderingFailed",
	}[code]
}

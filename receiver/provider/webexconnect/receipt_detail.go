package webexconnect

import (
	"net/netip"
	"strings"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/refusal"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// click reads a description of the form "<url>|<ip>". A URL may hold the separator itself, so the last one counts, and
// only when an address follows it.
func click(e *event.Event, info wire.Object) {
	e.Type = event.Clicked
	e.UserAgent = info.Text("additionalInfo")
	description := strings.TrimSpace(info.Text("Description"))
	e.URL = description
	i := strings.LastIndexByte(description, '|')
	if i < 0 {
		return
	}
	ip, err := netip.ParseAddr(strings.TrimSpace(description[i+1:]))
	if err != nil {
		return
	}
	e.URL, e.IP = description[:i], ip.String()
}

// bounce reads a description such as "Permanent_NoEmail", the bounce types and subtypes of Amazon SES. Where it does not say whether the
// bounce is final, as the documentation's list of all of them joined by slashes does not, the codes of the server do.
func bounce(e *event.Event, info wire.Object) {
	e.Type = event.Bounced
	e.Reason = info.Text("Description")
	e.Bounce = bounceOf(e.Reason)
	bounceDetail(e, info.Text("additionalInfo"))
	if e.Bounce.Type == event.Undetermined {
		e.Bounce.Type = refusal.Classify(e).Type
		e.Bounce.Category = wire.First(e.Bounce.Category, refusal.Classify(e).Category)
	}
}

func bounceOf(description string) event.Bounce {
	if strings.ContainsRune(description, '/') {
		return event.Bounce{Type: event.Undetermined}
	}
	kind, subtype, _ := strings.Cut(strings.TrimSpace(description), "_")
	b := event.Bounce{Type: event.Undetermined, Category: categoryOf(subtype)}
	switch strings.ToLower(kind) {
	case "permanent":
		b.Type = event.Hard
	case "transient":
		b.Type = event.Soft
	}
	return b
}

func categoryOf(subtype string) string {
	switch strings.ToLower(subtype) {
	case "":
		return ""
	case "noemail":
		return event.CategoryUserUnknown
	case "mailboxfull":
		return event.CategoryMailboxFull
	case "messagetoolarge", "contentrejected", "attachmentrejected":
		return event.CategoryContent
	case "suppressed":
		return event.CategorySuppressed
	default:
		return event.CategoryOther
	}
}

// bounceDetail reads "<enhanced code>|<action>|<diagnostic>", such as "5.1.1|failed|smtp; 550-5.1.1 The ...". What has
// another form is a diagnostic as a whole.
func bounceDetail(e *event.Event, info string) {
	diagnostic := info
	if parts := strings.SplitN(info, "|", 3); len(parts) == 3 {
		if code := wire.EnhancedCode(parts[0]); code != "" {
			e.EnhancedCode = code
			wire.SetDetail(e, "action", strings.TrimSpace(parts[1]))
			diagnostic = parts[2]
		}
	}
	// The platform escapes the text for JSON twice, so a line break arrives as a backslash and an n.
	diagnostic = strings.ReplaceAll(diagnostic, `\n`, "\n")
	e.Diagnostic = strings.ReplaceAll(diagnostic, `\/`, "/")
	code, enhanced := wire.SMTPReply(e.Diagnostic)
	e.SMTPCode = code
	if e.EnhancedCode == "" {
		e.EnhancedCode = enhanced
	}
}

// complaint reads the feedback type. "not-spam" takes a report back: as a complaint it would have the recipient suppressed. The documentation's list of all types, joined by slashes, names none.
func complaint(e *event.Event, info wire.Object) {
	e.Type = event.Complained
	e.Reason = info.Text("Description")
	if strings.ContainsRune(e.Reason, '/') {
		return
	}
	e.Complaint.FeedbackType = strings.TrimSpace(e.Reason)
	if strings.EqualFold(e.Complaint.FeedbackType, "not-spam") {
		e.Type = event.Uncomplained
	}
}

// fail tells the failures of one status apart by their codes.
func fail(e *event.Event, info wire.Object) {
	switch info.Text("code") {
	case "7523", "7524":
		reject(e, info, event.InvalidAddress)
	case "7240":
		reject(e, info, event.SuppressedBounce)
	case "7241":
		reject(e, info, event.UnsubscribedAddress)
	case "9002":
		reject(e, info, event.NoConsent)
	default:
		e.Type = event.Failed
		e.Reason = info.Text("Description")
	}
}

func reject(e *event.Event, info wire.Object, reason event.RejectReason) {
	e.Type = event.Rejected
	e.Reject.Reason = reason
	e.Reason = info.Text("Description")
}

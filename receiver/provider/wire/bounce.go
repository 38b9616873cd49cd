package wire

import (
	"strings"

	"github.com/mailvane/mailvane/receiver/event"
)

// BounceType classifies a refusal by its enhanced status code and its SMTP reply code; either may be missing, as "" or 0. It is hard
// when the address or its domain does not exist, whatever the class of the status says; soft when a policy refuses the message
// (RFC 3463 section 3.8), which says nothing of the address; and else what the class of the status, or that of the code, says.
func BounceType(status string, code int) event.BounceType {
	class, rest, _ := strings.Cut(strings.TrimSpace(status), ".")
	subject, detail, _ := strings.Cut(rest, ".")
	switch {
	case class != "4" && class != "5":
		return byCode(code)
	case subject == "1" && noAddress(detail):
		return event.Hard
	case subject == "7":
		return event.Soft
	case class == "5":
		return event.Hard
	default:
		return event.Soft
	}
}

// BounceCategory returns the category of an enhanced status code by its subject and detail (RFC 3463 section 3); "" when they say no more
// than that there was a refusal.
func BounceCategory(status string) string {
	_, rest, _ := strings.Cut(strings.TrimSpace(status), ".")
	subject, detail, _ := strings.Cut(rest, ".")
	switch {
	case subject == "1" && noAddress(detail):
		return event.CategoryUserUnknown
	case subject == "2" && detail == "2":
		return event.CategoryMailboxFull
	case subject == "4":
		return event.CategoryConnection
	case subject == "6":
		return event.CategoryContent
	case subject == "7":
		return event.CategoryPolicy
	default:
		return ""
	}
}

// noAddress reports whether a detail of subject 1 says that there is no such mailbox or system (RFC 3463 section 3.2), or that a domain
// takes no mail (RFC 7505 section 5.1). A status may have a comment behind it (RFC 3464 section 2.3.4).
func noAddress(detail string) bool {
	number, _, _ := strings.Cut(detail, " ")
	switch number {
	case "1", "2", "3", "6", "10":
		return true
	default:
		return false
	}
}

func byCode(code int) event.BounceType {
	switch code / 100 {
	case 5:
		return event.Hard
	case 4:
		return event.Soft
	default:
		return event.Undetermined
	}
}

// ReportedType returns the type of what the Action of a delivery report says (RFC 3464 section 2.3.3). A report without one is taken for
// a bounce.
func ReportedType(action string) event.Type {
	action, _, _ = strings.Cut(strings.ToLower(strings.TrimSpace(action)), " ")
	switch action {
	case "delayed":
		return event.Deferred
	case "delivered", "relayed", "expanded":
		return event.Delivered
	default:
		return event.Bounced
	}
}

// WithoutType removes the type before a value (RFC 3464 section 2.1.2), such as "dns; mx.example.com" or "smtp; 550 no".
func WithoutType(value string) string {
	kind, rest, ok := strings.Cut(value, ";")
	if !ok || strings.ContainsAny(strings.TrimSpace(kind), " \t") {
		return value
	}
	return strings.TrimSpace(rest)
}

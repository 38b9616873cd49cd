package condition

import (
	"fmt"
	"strings"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/receiver/config"
)

// Failing returns the finding of the routes whose filter fails for events.
func Failing(problems []config.Problem) Finding {
	var messages []string
	for _, p := range problems {
		if p.Kind == config.FilterFailing {
			messages = append(messages, fmt.Sprintf("route %s: its filter fails for some events: %s (%s since %s)",
				p.Route, p.Message, atLeast(p.Count, "event"), since(p)))
		}
	}
	if len(messages) == 0 {
		return Finding{}
	}
	return Finding{Reason: v1alpha1.ReasonFilterFailing, Message: "What a filter fails for becomes a dead letter; mend it, then retry them: mailvane deadletter retry --cause FilterFailed. " +
		strings.Join(messages, "; ")}
}

// Bodies returns the finding of bodies that are too large: for the endpoint, or for the journal.
func Bodies(problems []config.Problem) Finding { return First(large(problems), oversized(problems)) }

// oversized is about bodies that the endpoint takes and the journal cannot hold.
func oversized(problems []config.Problem) Finding {
	for _, p := range problems {
		if p.Kind == config.EventTooLarge {
			return Finding{Reason: v1alpha1.ReasonEventTooLarge, Message: "A larger event becomes a dead letter that cannot be retried: " + p.Message + ". Raise that, or lower spec.maxBodySize."}
		}
	}
	return Finding{}
}

// large is about bodies above the bound of the endpoint.
func large(problems []config.Problem) Finding {
	for _, p := range problems {
		if p.Kind == config.BodyTooLarge {
			return Finding{Reason: v1alpha1.ReasonBodyTooLarge, Message: fmt.Sprintf(
				"%s since %s: %s, and some providers never send such an event again. Raise spec.maxBodySize if they are the provider's: a body that is too large is refused unread, whoever sends it.",
				atLeast(p.Count, "request"), since(p), p.Message)}
		}
	}
	return Finding{}
}

// Reused returns the finding of a signature that came with many bodies.
func Reused(problems []config.Problem) Finding {
	for _, p := range problems {
		if p.Kind == config.SignatureReused {
			return Finding{Reason: v1alpha1.ReasonSignatureReused, Message: fmt.Sprintf(
				"%s since %s: %s. Somebody may send events of his own with a header that he has seen: ask for another factor in spec.authentication, or give the endpoint another key.",
				atLeast(p.Count, "request"), since(p), p.Message)}
		}
	}
	return Finding{}
}

// atLeast says a count in steps of ten times: what is said of it must not change with each event.
func atLeast(count uint64, what string) string {
	least := uint64(1)
	for least <= count/10 {
		least *= 10
	}
	if least == 1 {
		return "at least one " + what
	}
	return fmt.Sprintf("at least %d %ss", least, what)
}

func since(p config.Problem) string { return p.Since.UTC().Format("2006-01-02 15:04 UTC") }

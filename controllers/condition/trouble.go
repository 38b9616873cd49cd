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

// Large returns the finding of bodies above the bound of an endpoint.
func Large(problems []config.Problem) Finding {
	for _, p := range problems {
		if p.Kind == config.BodyTooLarge {
			return Finding{Reason: v1alpha1.ReasonBodyTooLarge, Message: fmt.Sprintf(
				"%s since %s: %s, and some providers never send such an event again. Raise spec.maxBodySize if they are the provider's: a body that is too large is refused unread, whoever sends it.",
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

package wire

import (
	"slices"

	"github.com/mailvane/mailvane/receiver/event"
)

// MaxRecipients is how many recipients an event holds. More are in the raw item only.
const MaxRecipients = 10_000

// SetRecipients sets the addresses of a message, each once, and the recipient when there is only one.
func SetRecipients(e *event.Event, lists ...[]string) {
	e.Recipients, e.Recipient = nil, ""
	var seen map[string]struct{}
	for _, list := range lists {
		for _, address := range list {
			if len(e.Recipients) >= maxCompared && seen == nil {
				seen = setOf(e.Recipients)
			}
			_, known := seen[address]
			switch {
			case known, seen == nil && slices.Contains(e.Recipients, address):
				continue
			case len(e.Recipients) == MaxRecipients:
				e.Truncated = true
				return
			case seen != nil:
				seen[address] = struct{}{}
			}
			e.Recipients = append(e.Recipients, address)
		}
	}
	if len(e.Recipients) == 1 {
		e.Recipient = e.Recipients[0]
	}
}

func setOf(values []string) map[string]struct{} {
	set := make(map[string]struct{}, len(values))
	for _, v := range values {
		set[v] = struct{}{}
	}
	return set
}

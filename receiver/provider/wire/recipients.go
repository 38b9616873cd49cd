package wire

import (
	"slices"

	"github.com/mailvane/mailvane/receiver/event"
)

// maxRecipients is how many recipients an event holds. More are in the raw item only.
const maxRecipients = 10_000

// SetRecipients sets the addresses of a message, each once, and the recipient when there is only one.
func SetRecipients(e *event.Event, lists ...[]string) {
	e.Recipients, e.Recipient = nil, ""
	seen := map[string]struct{}{}
	for address := range slices.Values(slices.Concat(lists...)) {
		if _, known := seen[address]; known {
			continue
		}
		if len(seen) == maxRecipients {
			e.Truncated = true
			break
		}
		seen[address] = struct{}{}
		e.Recipients = append(e.Recipients, address)
	}
	if len(e.Recipients) == 1 {
		e.Recipient = e.Recipients[0]
	}
}

package registration

import (
	"slices"
	"strings"
)

// CheckEvents returns an [Error] for events that a provider does not have, where its API would leave them out in silence.
func CheckEvents(wanted, known []string) error {
	for _, event := range wanted {
		if !slices.Contains(known, event) {
			return &Error{Kind: Refused, Words: "it has no event " + event + "; it has " + strings.Join(known, ", ")}
		}
	}
	return nil
}

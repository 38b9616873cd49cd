package supervise

import (
	"slices"
	"strings"

	"github.com/mailvane/mailvane/receiver/config"
)

// Connections returns what is known of the ways to the destinations, in the order of the sinks' names; those that fail before others where
// there are too many to tell of.
func (s *Supervisor) Connections() []config.Connection {
	var known []config.Connection
	for _, state := range s.States() {
		c := state.Connection
		if state.Type == OrphanType || !c.Connected && c.Cause == "" {
			continue
		}
		known = append(known, config.Connection{
			Sink: state.Name, Cause: string(c.Cause), Message: trim(c.Message), Since: c.Since.UTC(),
		})
	}
	if len(known) > config.MaxConnections {
		slices.SortStableFunc(known, failingFirst)
		known = known[:config.MaxConnections]
		slices.SortFunc(known, func(a, b config.Connection) int { return strings.Compare(a.Sink, b.Sink) })
	}
	return known
}

func failingFirst(a, b config.Connection) int {
	switch {
	case (a.Cause == "") == (b.Cause == ""):
		return 0
	case a.Cause != "":
		return -1
	default:
		return 1
	}
}

func trim(message string) string {
	if len(message) <= config.MaxConnectionMessage {
		return message
	}
	return strings.ToValidUTF8(message[:config.MaxConnectionMessage], "")
}

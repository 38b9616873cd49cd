package program

import (
	"k8s.io/apimachinery/pkg/types"

	"github.com/mailvane/mailvane/receiver/config"
)

// mergeConnections returns what pods report of the connections to sinks, by the sink. One that fails at a pod counts as failing.
func mergeConnections(said map[types.UID]config.Loaded) map[string]config.Connection {
	merged := map[string]config.Connection{}
	for _, loaded := range said {
		for _, c := range loaded.Connections {
			if before, known := merged[c.Sink]; !known || goesBefore(c, before) {
				merged[c.Sink] = c
			}
		}
	}
	return merged
}

// goesBefore reports whether a connection is reported rather than another one of the same sink: one that fails, and has for longer, so that
// what is reported does not change from one time to the next.
func goesBefore(c, other config.Connection) bool {
	if (c.Cause == "") != (other.Cause == "") {
		return c.Cause != ""
	}
	if !c.Since.Equal(other.Since) {
		return c.Since.Before(other.Since)
	}
	return c.Cause+c.Message < other.Cause+other.Message
}

// ConnectionOf returns what is reported of the connection to a sink, by its qualified name, by any receiver; nil = nothing.
func ConnectionOf(answers map[string]Answers, sink string) *config.Connection {
	var reported *config.Connection
	for _, a := range answers {
		c, known := a.Connections[sink]
		if known && (reported == nil || goesBefore(c, *reported)) {
			reported = &c
		}
	}
	return reported
}

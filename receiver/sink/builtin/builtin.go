// Package builtin is the list of the sinks that Mailvane knows. The list is generated from internal/catalogue.
package builtin

import "github.com/mailvane/mailvane/receiver/sink"

// Lookup returns the kind of a type, such as "HTTP".
func Lookup(sinkType string) (sink.Kind, bool) {
	for _, k := range Kinds() {
		if k.Type == sinkType {
			return k, true
		}
	}
	return sink.Kind{}, false
}

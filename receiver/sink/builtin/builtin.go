// Package builtin is the list of the sinks that Mailvane knows. Adding one is one line in [Kinds].
package builtin

import (
	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/filesink"
	"github.com/mailvane/mailvane/receiver/sink/httpsink"
	"github.com/mailvane/mailvane/receiver/sink/stdoutsink"
)

// Kinds returns every kind of sink, in the order in which they are listed to people.
func Kinds() []sink.Kind {
	return []sink.Kind{
		httpsink.Kind(),
		stdoutsink.Kind(),
		filesink.Kind(),
	}
}

// Lookup returns the kind of a type, such as "HTTP".
func Lookup(sinkType string) (sink.Kind, bool) {
	for _, k := range Kinds() {
		if k.Type == sinkType {
			return k, true
		}
	}
	return sink.Kind{}, false
}

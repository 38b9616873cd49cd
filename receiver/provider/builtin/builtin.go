// Package builtin is the list of the providers that Mailvane knows. Adding one is one line in [Kinds].
package builtin

import (
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/emailengine"
	"github.com/mailvane/mailvane/receiver/provider/engagelab"
	"github.com/mailvane/mailvane/receiver/provider/mailchannels"
	"github.com/mailvane/mailvane/receiver/provider/webexconnect"
)

// Kinds returns every provider, in the order in which they are listed to people.
func Kinds() []provider.Kind {
	return []provider.Kind{
		webexconnect.Kind(),
		mailchannels.Kind(),
		emailengine.Kind(),
		engagelab.Kind(),
	}
}

// Lookup returns the provider of a type, such as "EmailEngine".
func Lookup(providerType string) (provider.Kind, bool) {
	for _, k := range Kinds() {
		if k.Type == providerType {
			return k, true
		}
	}
	return provider.Kind{}, false
}

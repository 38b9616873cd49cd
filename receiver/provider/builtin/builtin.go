// Package builtin is the list of the providers that Mailvane knows. The list is generated from internal/catalogue.
package builtin

import "github.com/mailvane/mailvane/receiver/provider"

// Lookup returns the provider of a type, such as "EmailEngine".
func Lookup(providerType string) (provider.Kind, bool) {
	for _, k := range Kinds() {
		if k.Type == providerType {
			return k, true
		}
	}
	return provider.Kind{}, false
}

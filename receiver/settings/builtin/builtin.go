// Package builtin checks the settings of every provider and sink that Mailvane knows, and links none of them. The lists are generated
// from internal/catalogue.
package builtin

import "github.com/mailvane/mailvane/receiver/settings"

// Check checks the settings of one provider or sink.
type Check struct {
	// Type is the name in spec.provider.type or in spec.type.
	Type string
	// Validate says why settings cannot work. It holds no credential.
	Validate func(data []byte, env settings.Environment) error
}

// Lookup returns the check of a type.
func Lookup(checks []Check, typ string) (Check, bool) {
	for _, c := range checks {
		if c.Type == typ {
			return c, true
		}
	}
	return Check{}, false
}

// provider makes a check of what reads a provider's settings.
func provider[T any](parse func([]byte) (T, error)) func([]byte, settings.Environment) error {
	return func(data []byte, _ settings.Environment) error {
		_, err := parse(data)
		return err
	}
}

// sink makes a check of what reads a sink's settings.
func sink[T any](parse func([]byte, settings.Environment) (T, error)) func([]byte, settings.Environment) error {
	return func(data []byte, env settings.Environment) error {
		_, err := parse(data, env)
		return err
	}
}

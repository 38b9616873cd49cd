// Package settings decodes what a configuration says of one provider or sink: the member of the API with the values of Secrets in place
// of the references. The types are in a package of each, generated from the API, beside what reads them. None of it links what the
// settings are for, so that they can be checked where no webhook is decoded and no sink is written to.
package settings

import (
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Basic is what a BasicSecretReference becomes.
type Basic struct {
	// Username and Password are what the Secret holds under those keys.
	Username string `json:"username"`
	Password string `json:"password"`
}

// KeyPair is what a TLSSecretReference becomes.
type KeyPair struct {
	// Certificate is a certificate in PEM, with those between it and an authority behind it.
	Certificate string `json:"certificate"`
	// Key is its private key in PEM.
	Key string `json:"key"`
}

// Environment is what settings are checked for.
type Environment struct {
	// Now, unless it is zero, has what has expired by then refused, such as a certificate. A receiver leaves it zero: it must start, and
	// its other sinks work, whatever has expired.
	Now time.Time
	// FileSinks says that there is a folder for File sinks.
	FileSinks bool
}

// Expired reports whether what is valid until a time is to be refused.
func (e *Environment) Expired(until time.Time) bool { return !e.Now.IsZero() && e.Now.After(until) }

// Decode decodes settings into the struct that out points to. Unknown members are refused. Its errors say where the problem is and not
// what stands there: that may be a credential.
func Decode(data []byte, out any) error {
	err := json.Unmarshal(data, out, json.RejectUnknownMembers(true))
	if err == nil {
		return nil
	}
	if semantic, ok := errors.AsType[*json.SemanticError](err); ok {
		if errors.Is(err, json.ErrUnknownName) {
			return fmt.Errorf("settings: unknown member %s", semantic.JSONPointer)
		}
		if semantic.JSONPointer != "" {
			return fmt.Errorf("settings: invalid value at %s", semantic.JSONPointer)
		}
	}
	if syntactic, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		return fmt.Errorf("settings: malformed JSON at byte %d", syntactic.ByteOffset)
	}
	return errors.New("settings: not a JSON object")
}

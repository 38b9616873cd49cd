// Command eventschema writes the JSON Schema of the normalized event, from the Go type and its comments.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/invopop/jsonschema"

	"github.com/mailvane/mailvane/receiver/event"
)

func main() {
	if err := write(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "eventschema:", err)
		os.Exit(1)
	}
}

func write(out *os.File) error {
	r := &jsonschema.Reflector{
		Anonymous: true, DoNotReference: true,
		// A later version of the record may have more fields; readers must not choke on them.
		AllowAdditionalProperties: true,
		Mapper:                    special,
	}
	if err := r.AddGoComments("github.com/mailvane/mailvane", "./receiver/event"); err != nil {
		return fmt.Errorf("read comments: %w", err)
	}
	schema := r.Reflect(event.Event{})
	schema.ID = jsonschema.ID(event.DataSchema)
	schema.Title = "Mailvane event, version 1"
	schema.Required = []string{"id", "type", "provider", "time"}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(schema); err != nil {
		return fmt.Errorf("write schema: %w", err)
	}
	return nil
}

// special returns the schema of types that say too little of themselves.
func special(t reflect.Type) *jsonschema.Schema {
	switch t {
	case reflect.TypeFor[jsontext.Value]():
		return &jsonschema.Schema{Description: "Any JSON."}
	case reflect.TypeFor[event.Type]():
		return enum(event.Types())
	case reflect.TypeFor[event.BounceType]():
		return enum([]event.BounceType{event.Hard, event.Soft, event.Undetermined})
	case reflect.TypeFor[event.RejectReason]():
		return enum([]event.RejectReason{
			event.SuppressedBounce, event.SuppressedComplaint, event.UnsubscribedAddress, event.InvalidAddress,
			event.UnverifiedAddress, event.PolicyViolation, event.NoConsent, event.OtherReason,
		})
	}
	return nil
}

func enum[T ~string](values []T) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "string"}
	for _, v := range values {
		s.Enum = append(s.Enum, string(v))
	}
	return s
}

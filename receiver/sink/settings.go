package sink

import (
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// DecodeSettings decodes the settings of a sink into out. Unknown fields are an error. The error says where the problem
// is and not what stands there: that may be a credential.
func DecodeSettings(settings []byte, out any) error {
	err := json.Unmarshal(settings, out, json.RejectUnknownMembers(true))
	if err == nil {
		return nil
	}
	if semantic, ok := errors.AsType[*json.SemanticError](err); ok {
		if errors.Is(err, json.ErrUnknownName) {
			return fmt.Errorf("settings: unknown field %q", semantic.JSONPointer)
		}
		return fmt.Errorf("settings: wrong value at %q", semantic.JSONPointer)
	}
	if syntactic, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		return fmt.Errorf("settings: malformed JSON at byte %d", syntactic.ByteOffset)
	}
	return errors.New("settings: malformed JSON")
}

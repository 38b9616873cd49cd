package wire

import (
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// DecodeSettings decodes an endpoint's settings into the struct that out points to. Unknown members are refused.
// Its errors name the place and hold no value, because settings hold credentials. Settings that are absent are an empty object.
func DecodeSettings(settings []byte, out any) error {
	if len(Trim(settings)) == 0 {
		return nil
	}
	err := json.Unmarshal(settings, out, json.RejectUnknownMembers(true))
	if err == nil {
		return nil
	}
	if errors.Is(err, json.ErrUnknownName) {
		return fmt.Errorf("settings: unknown member %s", pointerOf(err))
	}
	if pointer := pointerOf(err); pointer != "" {
		return fmt.Errorf("settings: invalid value at %s", pointer)
	}
	return errors.New("settings: not a valid JSON object")
}

func pointerOf(err error) jsontext.Pointer {
	if semantic, ok := errors.AsType[*json.SemanticError](err); ok {
		return semantic.JSONPointer
	}
	return ""
}

package engagelab

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/signature"
)

// maxITimeScan bounds, in bytes, how much of an unverified body is scanned for its itime. The documented bodies hold it
// before anything of a free length, but for addresses and a subject.
const maxITimeScan = 64 << 10

// itime returns the digits of the top-level member itime. It reads a body that is not verified yet, the one exception to
// verifying before parsing: this variant signs nothing but that member. It keeps none of what it passes over.
func itime(body []byte) (string, error) {
	dec := jsontext.NewDecoder(bytes.NewBuffer(body[:min(len(body), maxITimeScan)]))
	if dec.PeekKind() != jsontext.KindBeginObject {
		return "", signature.ErrMalformed
	}
	if _, err := dec.ReadToken(); err != nil {
		return "", signature.ErrMalformed
	}
	for {
		name, err := dec.ReadToken()
		if err != nil || name.Kind() != jsontext.KindString {
			return "", signature.ErrMalformed
		}
		if name.String() != "itime" {
			if err := dec.SkipValue(); err != nil {
				return "", signature.ErrMalformed
			}
			continue
		}
		value, err := dec.ReadToken()
		if err != nil || (value.Kind() != jsontext.KindNumber && value.Kind() != jsontext.KindString) {
			return "", signature.ErrMalformed
		}
		return value.String(), nil
	}
}

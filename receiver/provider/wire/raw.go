package wire

import (
	"encoding/base64"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// maxKeptDepth is how many objects and arrays of an item may lie in one another that stays JSON within an event. With the two around it
// and that of a batch it is within what readers take by themselves: System.Text.Json 64, Ruby's json 100, serde_json 128.
const maxKeptDepth = 60

// mediaType is that of the items of bodies in JSON (RFC 8259 section 11).
const mediaType = "application/json"

// wrapped is what an event keeps of an item whose JSON not every reader takes: all of it, as a text, or in base64 where it is not UTF-8.
type wrapped struct {
	MediaType string `json:"mediaType"`
	Text      string `json:"text,omitzero"`
	Base64    []byte `json:"base64,omitzero"`
}

// keep returns what an event keeps of an item with these oddities.
func (o *oddities) keep(sent []byte) jsontext.Value {
	switch {
	case o.notUTF8:
		return wrap(wrapped{MediaType: mediaType, Base64: sent})
	case o.repeated || o.deepest > maxKeptDepth:
		return wrap(wrapped{MediaType: mediaType, Text: string(sent)})
	case o.halves:
		return mend(sent)
	default:
		return sent
	}
}

// keepPart returns what an event keeps of a part of an item with these oddities. They may be in what was left out: what is decoded again has
// none of it, and must be kept as the same.
func (o *oddities) keepPart(part []byte) jsontext.Value {
	if !o.notUTF8 && !o.repeated && !o.halves && o.deepest <= maxKeptDepth {
		return part
	}
	s := scanner{text: string(part)}
	s.value(0, 0)
	return s.keep(part)
}

func wrap(w wrapped) jsontext.Value {
	// Nothing in it cannot be encoded: a text that is not UTF-8 is kept in base64.
	raw, _ := json.Marshal(w)
	return raw
}

// Unwrap returns what is to be decoded to get the event again that keeps raw: raw itself, or what is wrapped in it.
func Unwrap(raw jsontext.Value) []byte {
	body := []byte(raw)
	// What is no object stays as it is.
	_ = single(Trim(raw), func(item Item) error {
		members := 0
		for range item.Members() {
			members++
		}
		if members != 2 || item.Text("mediaType") != mediaType {
			return nil
		}
		if text := item.JSON("text"); strings.HasPrefix(text, `"`) {
			body = []byte(unescaped(text[1 : len(text)-1]))
		}
		if sent, err := base64.StdEncoding.DecodeString(item.Text("base64")); err == nil && len(sent) > 0 {
			body = sent
		}
		return nil
	})
	return body
}

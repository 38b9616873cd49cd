package wire

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// Edit returns body with some of its values changed and every other byte as it is. Change sees each scalar, and the
// opening brace of each object, with where it stands (a JSON Pointer, RFC 6901). The JSON that it returns replaces the
// scalar, or is inserted as the first members of the object; "" changes nothing. From the first syntax error on, body
// is left as it is.
func Edit(body []byte, change func(at jsontext.Pointer, token jsontext.Token) string) []byte {
	var out bytes.Buffer
	dec := jsontext.NewDecoder(bytes.NewBuffer(body))
	copied := 0
	for {
		before := int(dec.InputOffset())
		token, err := dec.ReadToken()
		if err != nil {
			out.Write(body[copied:])
			return out.Bytes()
		}
		if isName(dec) || structural(token.Kind()) {
			continue
		}
		text := change(dec.StackPointer(), token)
		if text == "" {
			continue
		}
		keep := before + len(body[before:]) - len(bytes.TrimLeft(body[before:], " \t\r\n:,"))
		if token.Kind() == jsontext.KindBeginObject {
			keep = int(dec.InputOffset())
			if dec.PeekKind() != jsontext.KindEndObject {
				text += ","
			}
		}
		out.Write(body[copied:keep])
		out.WriteString(text)
		copied = int(dec.InputOffset())
	}
}

func structural(k jsontext.Kind) bool {
	return k == jsontext.KindEndObject || k == jsontext.KindEndArray || k == jsontext.KindBeginArray
}

// isName reports whether the token that was read last is a member name: an object then holds an odd number of tokens.
func isName(dec *jsontext.Decoder) bool {
	kind, length := dec.StackIndex(dec.StackDepth())
	return kind == jsontext.KindBeginObject && length%2 == 1
}

// Quote returns text as a JSON string; invalid UTF-8 in it becomes U+FFFD.
func Quote(text string) string {
	// The only error is invalid UTF-8, which was replaced by then.
	quoted, _ := jsontext.AppendQuote(nil, text)
	return string(quoted)
}

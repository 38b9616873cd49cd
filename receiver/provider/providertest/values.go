package providertest

import (
	"bytes"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// value is a value within JSON: a member of an object, or an element of an array.
type value struct {
	at         jsontext.Pointer
	start, end int
	kind       jsontext.Kind
	// element says that it stands in an array.
	element bool
}

// isContainer reports whether it is an object or an array.
func (v value) isContainer() bool {
	return v.kind == jsontext.KindBeginObject || v.kind == jsontext.KindBeginArray
}

// in returns the JSON of the value.
func (v value) in(body []byte) string { return string(body[v.start:v.end]) }

// replace returns body with other JSON in place of the value.
func (v value) replace(body []byte, other string) []byte {
	return slices.Concat(body[:v.start], []byte(other), body[v.end:])
}

// remove returns body without the value, which is an element of an array.
func (v value) remove(body []byte) []byte {
	before, after := bytes.TrimRight(body[:v.start], " \t\r\n"), bytes.TrimLeft(body[v.end:], " \t\r\n")
	if rest, ok := bytes.CutPrefix(after, []byte{','}); ok {
		return slices.Concat(before, rest)
	}
	return slices.Concat(bytes.TrimSuffix(before, []byte{','}), after)
}

// apart reports whether a part of body has nothing of the value.
func (v value) apart(body, part []byte) bool {
	at := bytes.Index(body, part)
	return at >= 0 && (v.end <= at || at+len(part) <= v.start)
}

// valuesOf returns the values within a body of JSON or JSON Lines, without the outermost ones. Of a body that is no JSON there are none.
func valuesOf(body []byte) []value {
	var values []value
	var open []int // the values that have begun, by their places among all; -1 = an outermost one
	dec := jsontext.NewDecoder(bytes.NewBuffer(body))
	for {
		before := int(dec.InputOffset())
		token, err := dec.ReadToken()
		if err != nil {
			return values
		}
		end := int(dec.InputOffset())
		switch kind := token.Kind(); {
		case kind == jsontext.KindEndObject || kind == jsontext.KindEndArray:
			if last := open[len(open)-1]; last >= 0 {
				values[last].end = end
			}
			open = open[:len(open)-1]
		case isName(dec, kind):
		default:
			v := value{at: dec.StackPointer(), end: end, kind: kind}
			v.start = before + len(body[before:end]) - len(bytes.TrimLeft(body[before:end], " \t\r\n:,"))
			container := kind == jsontext.KindBeginObject || kind == jsontext.KindBeginArray
			place := -1
			if v.at != "" {
				parent, _ := dec.StackIndex(dec.StackDepth() - boolInt(container))
				v.element = parent == jsontext.KindBeginArray
				place, values = len(values), append(values, v)
			}
			if container {
				open = append(open, place)
			}
		}
	}
}

// isName reports whether the token that was read last is a member name: an object then holds an odd number of tokens.
func isName(dec *jsontext.Decoder, token jsontext.Kind) bool {
	kind, length := dec.StackIndex(dec.StackDepth())
	return token == jsontext.KindString && kind == jsontext.KindBeginObject && length%2 == 1
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

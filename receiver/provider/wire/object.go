package wire

import (
	"iter"
	"strings"
)

// Object is a JSON object that was found to be valid, in which members are looked up. It never fails on a value of another
// kind than the documented one: an odd optional member must not cost an event. The zero Object has no members.
//
// An Object is good until the next item of its body is read. The texts that it returns stay good; most of them are parts of one
// copy of the body.
type Object struct {
	text    string
	members []member
	// doubt takes note of names that were looked up and stand for two values.
	doubt *doubt
}

// find returns the index of a member; ok is false when there is none of that name.
func (o Object) find(name string) (i int, ok bool) {
	if i, ok = find(o.text, o.members, name); ok && o.members[i].disputed {
		o.doubt.note(name)
	}
	return i, ok
}

// JSON returns the JSON of a member as it was sent; "" when it is absent.
func (o Object) JSON(name string) string {
	i, ok := o.find(name)
	if !ok {
		return ""
	}
	return o.json(i)
}

func (o Object) json(i int) string { return o.text[o.members[i].start:o.members[i].end] }

// Text returns a scalar as text: the value of a string, the digits of a number as written (64-bit ids keep every
// digit), "true" or "false". Null, an object, an array and what is absent are "".
func (o Object) Text(name string) string {
	i, ok := o.find(name)
	if !ok {
		return ""
	}
	value := o.json(i)
	if value[0] == '"' && o.members[i].plain {
		return value[1 : len(value)-1]
	}
	return textOf(value)
}

// Texts returns a list of scalars: an array, or one scalar in place of an array, or an array encoded as a string. Elements that
// are no scalars or are empty are left out.
func (o Object) Texts(name string) []string {
	value := o.JSON(name)
	if array, _ := arrayOf(value); array != "" {
		return textsOf(array)
	}
	text := textOf(value)
	if text == "" {
		return nil
	}
	return []string{text}
}

// isJSON reports whether a text is JSON.
func isJSON(text string) bool {
	s := scanner{text: text}
	end := s.value(0, 0)
	return end != noJSON && s.space(end) == len(text)
}

// arrayOf returns the array that a value is, or that is encoded in it as a string; "" when it is no array.
func arrayOf(value string) (array string, encoded bool) {
	if strings.HasPrefix(value, "[") {
		return value, false
	}
	if text := textOf(value); strings.HasPrefix(text, "[") && isJSON(text) {
		return text, true
	}
	return "", false
}

// Object returns a member that is an object, and the zero Object when it is anything else.
func (o Object) Object(name string) Object {
	i, ok := o.find(name)
	if !ok || o.text[o.members[i].start] != '{' {
		return Object{}
	}
	return Object{text: o.text, members: o.members[i+1 : i+int(o.members[i].size)], doubt: o.doubt}
}

// Objects returns a list of objects: an array, or one object in place of an array. Elements that are no objects are left out.
func (o Object) Objects(name string) []Object {
	value := o.JSON(name)
	if strings.HasPrefix(value, "{") {
		return []Object{o.Object(name)}
	}
	if !strings.HasPrefix(value, "[") {
		return nil
	}
	var objects []Object
	for element := range elements(value) {
		if element[0] == '{' {
			objects = append(objects, o.doubt.object(element))
		}
	}
	return objects
}

// object returns the object that a text is.
func (d *doubt) object(text string) Object {
	s := scanner{text: text}
	s.value(0, 0)
	return Object{text: text, members: s.members, doubt: d}
}

// Members returns each member, in the order of the object: with the text of a scalar, and with the JSON of an array or an
// object. Null is "". A name that occurs twice comes twice: who keeps the last value does as most readers of JSON do. What is half a
// character, or not UTF-8, is U+FFFD in both, as it is in the raw item that an event keeps.
func (o Object) Members() iter.Seq2[string, string] {
	return func(yield func(name, text string) bool) {
		for i := 0; i < len(o.members); i += int(o.members[i].size) {
			if !yield(o.members[i].nameIn(o.text), said(o.json(i))) {
				return
			}
		}
	}
}

// said returns the text of a scalar, and the JSON of an array or an object as every reader takes it.
func said(value string) string {
	if value[0] != '{' && value[0] != '[' {
		return textOf(value)
	}
	return strings.ToValidUTF8(mendText(value), "\ufffd")
}

// textOf returns the text of the JSON of a scalar, and "" for anything else.
func textOf(value string) string {
	if value == "" {
		return ""
	}
	switch value[0] {
	case '"':
		return unquote(value)
	case '{', '[', 'n':
		return ""
	default:
		return value
	}
}

func textsOf(array string) []string {
	var texts []string
	for element := range elements(array) {
		if text := textOf(element); text != "" {
			texts = append(texts, text)
		}
	}
	return texts
}

// elements returns the JSON of each element of an array that was found to be valid.
func elements(array string) iter.Seq[string] {
	return func(yield func(string) bool) {
		s := scanner{text: array}
		at := s.space(1)
		for array[at] != ']' {
			end := s.value(at, 0)
			if !yield(array[at:end]) {
				return
			}
			s.members = s.members[:0]
			if at = s.space(end); array[at] == ',' {
				at = s.space(at + 1)
			}
		}
	}
}

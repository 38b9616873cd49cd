package wire

import (
	"iter"
	"strconv"
)

// entries returns the JSON of what a member holds, by name or by place.
func (o Object) entries(name string) iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		value := o.JSON(name)
		switch {
		case value == "":
		case value[0] == '{':
			inner := o.Object(name)
			for i := 0; i < len(inner.members); i += int(inner.members[i].size) {
				if !yield(inner.members[i].nameIn(inner.text), inner.json(i)) {
					return
				}
			}
		case value[0] == '[':
			place := 0
			for element := range elements(value) {
				if !yield(strconv.Itoa(place), element) {
					return
				}
				place++
			}
		}
	}
}

// Entries returns what a member holds, an object by name or a list by place from 0 on, as [Object.Members] does: PHP writes an array
// whose keys are 0, 1, 2 and so on as a list, also one that is empty, and any other as an object.
func (o Object) Entries(name string) iter.Seq2[string, string] {
	return func(yield func(name, text string) bool) {
		for name, text := range o.entries(name) {
			if !yield(name, said(text)) {
				return
			}
		}
	}
}

// ObjectEntries returns the objects among what [Object.Entries] does.
func (o Object) ObjectEntries(name string) iter.Seq2[string, Object] {
	return func(yield func(string, Object) bool) {
		for name, text := range o.entries(name) {
			if text[0] == '{' && !yield(name, o.doubt.object(text)) {
				return
			}
		}
	}
}

// Lists returns what [Object.Entries] does, each as the list that it is: the texts of its elements, "" for those that are no scalars. A
// scalar is a list of one. Objects are left out.
func (o Object) Lists(name string) iter.Seq2[string, []string] {
	return func(yield func(string, []string) bool) {
		for name, text := range o.entries(name) {
			var list []string
			switch text[0] {
			case '{':
				continue
			case '[':
				for element := range elements(text) {
					list = append(list, textOf(element))
				}
			default:
				list = []string{textOf(text)}
			}
			if !yield(name, list) {
				return
			}
		}
	}
}

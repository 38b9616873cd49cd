package event

import (
	"iter"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Field is a field of the record, by the names of its JSON: "recipient", "client.name". The members of a map of texts are one field,
// "metadata.*".
type Field struct {
	Name string
	// Text says that its values may be any text: those of numbers, flags, times, structures and closed vocabularies may not.
	Text bool
}

// Fields returns the fields of the record but for Raw, in the order of their names.
func Fields() []Field {
	var fields []Field
	addFields(reflect.TypeFor[Event](), "", &fields)
	slices.SortFunc(fields, func(a, b Field) int { return strings.Compare(a.Name, b.Name) })
	return fields
}

func addFields(t reflect.Type, prefix string, fields *[]Field) {
	for name, f := range jsonFields(t) {
		name = prefix + name
		of := f.Type
		for of.Kind() == reflect.Slice || of.Kind() == reflect.Pointer {
			of = of.Elem()
		}
		switch {
		case of.Kind() == reflect.Uint8: // raw JSON
		case of.Kind() == reflect.Map:
			*fields = append(*fields, Field{Name: name + anyMember, Text: true})
		case of.Kind() == reflect.Struct && of != reflect.TypeFor[time.Time]():
			*fields = append(*fields, Field{Name: name})
			addFields(of, name+".", fields)
		default:
			*fields = append(*fields, Field{Name: name, Text: of == reflect.TypeFor[string]()})
		}
	}
}

// anyMember follows the name of a map of texts.
const anyMember = ".*"

// jsonFields yields the fields of a struct that are in its JSON, by their names there.
func jsonFields(t reflect.Type) iter.Seq2[string, reflect.StructField] {
	return func(yield func(string, reflect.StructField) bool) {
		for f := range t.Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name != "" && name != "-" && !yield(name, f) {
				return
			}
		}
	}
}

// Rewriter says what becomes of the fields of a record.
type Rewriter struct {
	// Drop reports whether a field is left out, whatever it holds. A member of a map is named by its own name, "metadata.order_id".
	Drop func(field string) bool
	// Text returns what is put in the place of one text of a field; "" leaves it out. The names of a map's members are texts of the map,
	// "metadata".
	Text func(field, value string) string
}

// Rewrite changes the fields of e, each list element and member of a map by itself. The values of e that lists and maps hold are
// replaced and not changed.
func (e *Event) Rewrite(r Rewriter) { r.structure(reflect.ValueOf(e).Elem(), "") }

func (r *Rewriter) structure(v reflect.Value, prefix string) {
	for name, f := range jsonFields(v.Type()) {
		if field := v.FieldByIndex(f.Index); !field.IsZero() {
			r.value(field, prefix+name)
		}
	}
}

func (r *Rewriter) value(v reflect.Value, field string) {
	if r.Drop(field) {
		v.SetZero()
		return
	}
	switch v.Kind() {
	case reflect.String:
		if v.Type() == reflect.TypeFor[string]() {
			v.SetString(r.Text(field, v.String()))
		}
	case reflect.Struct:
		if v.Type() != reflect.TypeFor[time.Time]() {
			r.structure(v, field+".")
		}
	case reflect.Pointer: // what it points to is not changed
		changed := reflect.New(v.Type().Elem())
		changed.Elem().Set(v.Elem())
		r.structure(changed.Elem(), field+".")
		v.Set(changed)
	case reflect.Slice:
		r.list(v, field)
	case reflect.Map:
		if m, ok := reflect.TypeAssert[map[string]string](v); ok {
			v.Set(reflect.ValueOf(r.members(m, field)))
		}
	default:
	}
}

func (r *Rewriter) list(v reflect.Value, field string) {
	switch v.Type().Elem().Kind() {
	case reflect.String:
		var kept []string
		for i := range v.Len() {
			if text := r.Text(field, v.Index(i).String()); text != "" {
				kept = append(kept, text)
			}
		}
		v.Set(reflect.ValueOf(kept))
	case reflect.Struct:
		kept := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(kept, v)
		for i := range kept.Len() {
			r.structure(kept.Index(i), field+".")
		}
		v.Set(kept)
	default:
	}
}

func (r *Rewriter) members(m map[string]string, field string) (kept map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		member := field + "." + name
		if r.Drop(member) {
			continue
		}
		if text := r.Text(member, m[name]); text != "" || m[name] == "" {
			if kept == nil {
				kept = make(map[string]string, len(m))
			}
			kept[r.Text(field, name)] = text
		}
	}
	return kept
}

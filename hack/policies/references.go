package main

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"

	"github.com/mailvane/mailvane/api/v1alpha1"
)

// reference is where an object names one Secret or several, as an expression of CEL, and what must be there for it to be asked.
type reference struct {
	guards []string
	value  string
	isList bool
}

// String returns an expression that is a list of names.
func (r reference) String() string {
	value := r.value
	if !r.isList {
		value = "[" + value + "]"
	}
	return "(" + strings.Join(r.guards, " && ") + " ? " + value + " : [])"
}

// references returns, for each part of the spec that names Secrets, variables with their names if the part changes; and an expression with
// all of them.
func (k *kind) references() (variables []any, names string, err error) {
	var all []string
	for field := range k.spec.Fields() {
		part := jsonName(field)
		found, err := inField("object.spec", nil, field)
		if err != nil {
			return nil, "", err
		}
		if len(found) == 0 {
			continue
		}
		lists := make([]string, 0, len(found))
		for _, r := range found {
			lists = append(lists, r.String())
		}
		variables = append(variables,
			variable(part+"Changes", goesElsewhere(part)),
			variable(part+"Secrets", "variables."+part+"Changes ? "+strings.Join(lists, " + ")+" : []"))
		all = append(all, "variables."+part+"Secrets")
	}
	if len(all) == 0 {
		return nil, "", errors.New("it names no Secret")
	}
	return variables, strings.Join(all, " + "), nil
}

// goesElsewhere returns the question whether a part of the spec changes, or what it names goes to somebody else: what spec.authentication asks for is told
// to whom spec.registration names.
func goesElsewhere(part string) string {
	if part != "authentication" {
		return changes(part)
	}
	return "(" + changes(part) + ") || (has(object.spec." + part + ") && " + changes("registration") + ")"
}

// isReference says whether a field of a type names a Secret. By the conventions of the API a field that names something ends in Ref or Refs; what is
// not known to be something else is taken for a Secret.
func isReference(field string, t reflect.Type) bool {
	if !strings.HasSuffix(field, "Ref") && !strings.HasSuffix(field, "Refs") {
		return false
	}
	return t != reflect.TypeFor[v1alpha1.SinkReference]() && t != reflect.TypeFor[v1alpha1.GatewayReference]()
}

// inField returns the references in a field of what is at a path.
func inField(path string, guards []string, field reflect.StructField) ([]reference, error) {
	t, name := field.Type, jsonName(field)
	path += "." + name
	guards = append(slices.Clip(guards), "has("+path+")")
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case isReference(name, t) && t.Kind() == reflect.Struct:
		return []reference{{guards, path + ".name", false}}, nil
	case t.Kind() == reflect.Slice && isReference(name, t.Elem()):
		return []reference{{guards, path + ".map(r, r.name)", true}}, nil
	case t.Kind() == reflect.Struct:
		return inStruct(path, guards, t)
	case t.Kind() == reflect.Map || t.Kind() == reflect.Slice:
		return inItems(path, guards, t)
	default:
		return nil, nil
	}
}

// inStruct returns the references in the fields of a struct. What is one value in JSON has none.
func inStruct(path string, guards []string, t reflect.Type) ([]reference, error) {
	if t.Implements(reflect.TypeFor[json.Marshaler]()) || reflect.PointerTo(t).Implements(reflect.TypeFor[json.Marshaler]()) {
		return nil, nil
	}
	var all []reference
	for field := range t.Fields() {
		found, err := inField(path, guards, field)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

// inItems returns the references in the items of a list, one in each. A list or a map of texts has none.
func inItems(path string, guards []string, t reflect.Type) ([]reference, error) {
	if t.Elem().Kind() == reflect.String || t.Elem().Kind() == reflect.Uint8 {
		return nil, nil
	}
	if t.Kind() == reflect.Map || t.Elem().Kind() != reflect.Struct {
		return nil, errors.New(path + ": nothing is known of lists and maps like this")
	}
	inner, err := inStruct("item", nil, t.Elem())
	if err != nil {
		return nil, err
	}
	var all []reference
	for _, r := range inner {
		if r.isList {
			return nil, errors.New(path + ": a list of references in the items of a list cannot be written as one expression")
		}
		value := path + ".filter(item, " + strings.Join(r.guards, " && ") + ").map(item, " + r.value + ")"
		all = append(all, reference{guards, value, true})
	}
	return all, nil
}

func jsonName(field reflect.StructField) string {
	name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
	return name
}

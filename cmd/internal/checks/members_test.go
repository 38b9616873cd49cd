package checks_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/cmd/internal/checks"
	"github.com/mailvane/mailvane/controllers/render"
	"github.com/mailvane/mailvane/internal/catalogue"
)

// fill sets every field of a member, of the members in it and of one element of each list.
func fill(t *testing.T, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem())
	case reflect.Struct:
		for _, field := range v.Fields() {
			fill(t, field)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(t, v.Index(0))
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(t, key)
		fill(t, value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.String:
		v.SetString("name")
	case reflect.Int32, reflect.Int64:
		v.SetInt(1)
	case reflect.Bool:
		v.SetBool(true)
	default:
		t.Fatalf("a %s is not set", v.Type())
	}
}

// misread returns the problems of settings that were rendered in one form and read in another. That the values are no good is none.
func misread(problems []render.Problem) []string {
	var found []string
	for _, p := range problems {
		if strings.Contains(p.Message, "settings: ") || strings.Contains(p.Message, "knows no ") {
			found = append(found, p.String())
		}
	}
	return found
}

// TestSettingsAreReadAsTheyAreRendered sets everything that the API has, so that what is rendered of it has every member: one that the
// generated type has under another name, or as something else, could not be read.
func TestSettingsAreReadAsTheyAreRendered(t *testing.T) {
	t.Parallel()
	judges, err := checks.New("files")
	if err != nil {
		t.Fatal(err)
	}
	in := render.Input{Checks: judges, Secret: func(string, string) (map[string][]byte, bool) {
		value := []byte("a value of a Secret")
		return map[string][]byte{"name": value, "username": value, "password": value, "tls.crt": value, "tls.key": value}, true
	}}
	for _, p := range catalogue.Providers() {
		var e v1alpha1.WebhookEndpoint
		e.Name, e.Spec.Provider.Type = p.Folder(), v1alpha1.ProviderType(p.Type)
		fill(t, reflect.ValueOf(&e.Spec.Provider).Elem().FieldByName(p.Type))
		in.Endpoints = append(in.Endpoints, e)
	}
	for _, s := range catalogue.Sinks() {
		var sink v1alpha1.EventSink
		sink.Name, sink.Spec.Type = s.Folder(), v1alpha1.SinkType(s.Type)
		fill(t, reflect.ValueOf(&sink.Spec).Elem().FieldByName(s.Type))
		in.Sinks = append(in.Sinks, sink)
	}
	_, problems := render.Render(in)
	for _, problem := range misread(problems) {
		t.Error(problem)
	}
}

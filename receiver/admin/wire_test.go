package admin_test

import (
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/admin"
	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/history"
)

var update = flag.Bool("update", false, "rewrite the golden file")

// forms are what a receiver and those who ask it send each other, by the path that it goes over. They may be of two releases.
func forms() map[string]any {
	return map[string]any{
		"GET " + admin.PathConfig:      config.Loaded{},
		"GET " + admin.PathEndpoints:   admin.Endpoint{},
		"GET " + admin.PathJournal:     admin.Journal{},
		"GET " + admin.PathSinks:       admin.Sink{},
		"GET " + admin.PathDeadLetters: admin.DeadLetter{},
		"POST " + admin.PathRetry:      admin.IDs{},
		"answer to POST":               admin.Result{},
		"GET " + admin.PathHistory:     admin.HistoryPage{},
		"GET " + admin.PathRefusals:    history.Refusal{},
		"POST " + admin.PathErase:      admin.Erasure{},
		"answer to an erasure":         admin.Erased{},
	}
}

// TestWireForms holds the names and types of all members against those of the release before: a member that is renamed, or that is
// named by a Go field alone, is lost between a manager, a command and a receiver of two releases.
func TestWireForms(t *testing.T) {
	t.Parallel()
	filled := map[string]any{}
	for name, form := range forms() {
		value := reflect.New(reflect.TypeOf(form)).Elem()
		fill(t, name, value)
		filled[name] = value.Interface()
	}
	got, err := json.MarshalIndent(filled, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	const path = "testdata/wire.golden.json"
	if *update {
		if err := os.WriteFile(path, append(got, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)+"\n"); diff != "" {
		t.Errorf("a member that is only added is no harm (-update); one that changes or goes is (-want +got):\n%s", diff)
	}
}

// fill sets every field to something, and wants each to have a name of its own in JSON.
func fill(t *testing.T, path string, v reflect.Value) {
	t.Helper()
	if v.Type() == reflect.TypeFor[time.Time]() {
		v.Set(reflect.ValueOf(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			field := v.Type().Field(i)
			if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name == "" && !field.Anonymous {
				t.Errorf("%s.%s has no name in JSON", path, field.Name)
			}
			fill(t, path+"."+field.Name, v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(t, path, v.Index(0))
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(t, path, key)
		fill(t, path, value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.String:
		v.SetString("text")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(7)
	case reflect.Uint8, reflect.Uint64:
		v.SetUint(7)
	default:
		t.Errorf("%s: nobody fills a %s", path, v.Kind())
	}
}

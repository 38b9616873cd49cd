package store

import (
	"errors"
	"log/slog"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/embedded/failstop"
	"github.com/mailvane/mailvane/receiver/journal/embedded/format"
)

// openWith opens a store that holds values under keys.
func openWith(t *testing.T, values map[string][]byte) *pebble.DB {
	t.Helper()
	db, err := Open("store", Settings{MaxBytes: 1 << 30, Logger: slog.New(slog.DiscardHandler)}, failstop.New(vfs.NewMem(), nil, nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	for key, value := range values {
		if err := db.Set([]byte(key), value, pebble.NoSync); err != nil {
			t.Fatal(err)
		}
	}
	return db
}

func TestReads(t *testing.T) {
	t.Parallel()
	db := openWith(t, map[string][]byte{"a": []byte("1"), "b": {}, "c": []byte("3"), "numbers": format.EncodeNumbers(7, 8), "odd": {0xff}})
	if value, err := Get(db, []byte("a")); string(value) != "1" || err != nil {
		t.Errorf("%q, %v", value, err)
	}
	if _, err := Get(db, []byte("missing")); !errors.Is(err, journal.ErrNotFound) {
		t.Errorf("what is missing: %v", err)
	}
	for key, want := range map[string]bool{"b": true, "missing": false} {
		if found, err := Has(db, []byte(key)); found != want || err != nil {
			t.Errorf("%s: %v, %v", key, found, err)
		}
	}
	for name, want := range map[string][]uint64{"numbers": {7, 8, 0}, "missing": {0, 0, 0}} {
		if got, err := Numbers(db, name, 3); !slices.Equal(got, want) || err != nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if _, err := Numbers(db, "odd", 1); !errors.Is(err, format.ErrMalformed) {
		t.Errorf("a broken number: %v", err)
	}
	if key, err := LastKey(db, []byte("a"), []byte("c")); string(key) != "b" || err != nil {
		t.Errorf("last key %q, %v", key, err)
	}
	if key, err := LastKey(db, []byte("x"), []byte("y")); key != nil || err != nil {
		t.Errorf("last key of nothing %q, %v", key, err)
	}
}

// TestScans ends them in each way.
func TestScans(t *testing.T) {
	t.Parallel()
	db := openWith(t, map[string][]byte{"a": nil, "b": nil, "c": nil})
	scan := func(lower, upper, last string, failure error) (seen string, err error) {
		err = Scan(db, []byte(lower), []byte(upper), func(key, _ []byte) (bool, error) {
			seen += string(key)
			if string(key) == last {
				return failure == nil && last == "", failure
			}
			return true, nil
		})
		return seen, err
	}
	failure := errors.New("failure")
	for name, test := range map[string]struct {
		lower, upper, last string
		failure            error
		want               string
	}{
		"all":                  {"a", "d", "", nil, "abc"},
		"before the upper":     {"a", "c", "", nil, "ab"},
		"until it is enough":   {"a", "d", "b", nil, "ab"},
		"until there is error": {"a", "d", "a", failure, "a"},
		"nothing":              {"x", "y", "", nil, ""},
	} {
		if seen, err := scan(test.lower, test.upper, test.last, test.failure); seen != test.want || !errors.Is(err, test.failure) {
			t.Errorf("%s: %q, %v", name, seen, err)
		}
	}
	for range 2 { // the second time there is nothing to delete
		if err := DeleteRange(db, []byte("a"), []byte("c")); err != nil {
			t.Fatal(err)
		}
	}
	if seen, err := scan("a", "d", "", nil); seen != "c" || err != nil {
		t.Errorf("after a deletion: %q, %v", seen, err)
	}
}

// TestEventsAreRead reads events of a bundle, one behind its last, and those of a bundle that is missing or malformed.
func TestEventsAreRead(t *testing.T) {
	t.Parallel()
	var w format.BundleWriter
	for _, payload := range []string{"one", "two"} {
		w.Add(&format.Event{OrderingKey: "k", Payload: []byte(payload)}, false)
	}
	value := make([]byte, w.Prepare([]format.Debt{{Sink: 1, Events: format.SetFrom(0)}}))
	w.Fill(value)
	db := openWith(t, map[string][]byte{string(format.BundleKey(5)): value, string(format.BundleKey(6)): value[:3]})
	if e, err := ReadEvent(db, format.SequenceOf(5, 1)); string(e.Payload) != "two" || err != nil {
		t.Errorf("%+v, %v", e, err)
	}
	for name, test := range map[string]struct {
		sequence uint64
		want     error
	}{
		"behind the last": {format.SequenceOf(5, 2), format.ErrMalformed},
		"malformed":       {format.SequenceOf(6, 0), format.ErrMalformed},
		"missing":         {format.SequenceOf(7, 0), journal.ErrNotFound},
	} {
		if _, err := ReadEvent(db, test.sequence); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
}

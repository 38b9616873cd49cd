package embedded

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"
)

// storedBundle returns what is stored of events that are alike.
func storedBundle(t *testing.T, payloads ...string) []byte {
	t.Helper()
	db, err := pebble.Open("db", &pebble.Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // in memory
	var w bundleWriter
	for _, p := range payloads {
		w.add(&pendingEntry{alike: true, orderingKey: "k", payload: []byte(p)})
	}
	b := db.NewBatch()
	if err := errors.Join(w.write(b, 1), b.Commit(nil)); err != nil {
		t.Fatal(err)
	}
	value, err := get(db, bundleKey(1))
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func TestEventsThatAreAlikeTakeLittle(t *testing.T) {
	t.Parallel()
	var payloads []string
	for i := range minPacked {
		payloads = append(payloads, fmt.Sprintf("%s%d", bytes.Repeat([]byte("x"), 500), i))
	}
	value := storedBundle(t, payloads...)
	if len(value) > 500 {
		t.Errorf("%d bytes for %d events", len(value), len(payloads))
	}
	b, err := decodeBundle(value, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range b.events {
		got = append(got, string(e.payload))
	}
	if diff := cmp.Diff(payloads, got); diff != "" {
		t.Error(diff)
	}
	for cut := range len(value) { // what is cut is malformed and takes no memory
		if _, err := decodeBundle(value[:cut], nil); err == nil {
			t.Errorf("the first %d bytes of %d are a bundle", cut, len(value))
		}
	}
	few := storedBundle(t, payloads[:minPacked-1]...)
	if len(few) < 500*(minPacked-1) {
		t.Error("a few events are compressed")
	}
}

// TestTheFormatBeforeIsRead opens a store that the release before has written, which this one marks as its own.
func TestTheFormatBeforeIsRead(t *testing.T) {
	t.Parallel()
	o := Options{Dir: "journal", FS: vfs.NewMem(), MinFreeBytes: -1, Logger: slog.New(slog.DiscardHandler)}
	for _, found := range []string{formatBefore, "2"} {
		j, err := Open(o)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(j.db.Set([]byte(metaFormat), []byte(found), pebble.Sync), j.Close()); err != nil {
			t.Fatal(err)
		}
		j, err = Open(o)
		if (err == nil) != (found == formatBefore) {
			t.Errorf("format %s: %v", found, err)
		}
		if err != nil {
			continue
		}
		if value, err := get(j.db, []byte(metaFormat)); err != nil || string(value) != formatVersion {
			t.Errorf("marked as %q, %v", value, err)
		}
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	}
}

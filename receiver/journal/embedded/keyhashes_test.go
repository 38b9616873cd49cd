package embedded

import (
	"log/slog"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mailvane/mailvane/receiver/journal"
)

// TestKeyHashesMakeDuplicatesElsewhere gives the dedupe keys of one journal to another.
func TestKeyHashesMakeDuplicatesElsewhere(t *testing.T) {
	t.Parallel()
	var journals [2]*Journal
	for i := range journals {
		j, err := Open(Options{Dir: "journal", FS: vfs.NewMem(), MinFreeBytes: -1, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := j.Close(); err != nil {
				t.Error(err)
			}
		})
		journals[i] = j
	}
	from, to := journals[0], journals[1]
	event := func(key string) journal.Batch {
		return journal.Batch{Entries: []journal.Entry{{DedupeKeys: []string{key}, Sinks: []string{"mail/crm"}, Payload: []byte("{}")}}}
	}
	for _, key := range []string{"a", "b"} {
		if _, err := from.Append(t.Context(), event(key)); err != nil {
			t.Fatal(err)
		}
	}
	var b journal.Batch
	err := from.KeyHashes(t.Context(), func(h journal.KeyHash) bool {
		b.Entries = append(b.Entries, journal.Entry{KeyHashes: []journal.KeyHash{h}})
		return true
	})
	if err != nil || len(b.Entries) != 2 {
		t.Fatalf("%d keys, %v", len(b.Entries), err)
	}
	if receipt, err := to.Append(t.Context(), b); err != nil || receipt.Accepted != 2 {
		t.Fatalf("%+v, %v", receipt, err)
	}
	for key, duplicates := range map[string]int{"a": 1, "b": 1, "c": 0} {
		if receipt, err := to.Append(t.Context(), event(key)); err != nil || receipt.Duplicates != duplicates {
			t.Errorf("%s: %+v, %v", key, receipt, err)
		}
	}
	n := 0
	if err := from.KeyHashes(t.Context(), func(journal.KeyHash) bool { n++; return false }); err != nil || n != 1 {
		t.Errorf("asked %d times after the first was enough: %v", n, err)
	}
	if !slices.ContainsFunc(b.Entries, func(e journal.Entry) bool { return e.KeyHashes[0] == journal.HashKey("a") }) {
		t.Error("the hash of a key is another than the one that is kept")
	}
}

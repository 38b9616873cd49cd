package embedded

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mailvane/mailvane/receiver/journal"
)

// TestADuplicateIsFoundOnceTheFilterIsLoaded restarts a journal and waits until it answers from memory.
func TestADuplicateIsFoundOnceTheFilterIsLoaded(t *testing.T) {
	t.Parallel()
	disk := vfs.NewMem()
	once := journal.Batch{Entries: []journal.Entry{{DedupeKeys: []string{"a", "b"}, Sinks: []string{"mail/a"}}}}
	for round := range 2 {
		j, err := Open(Options{Dir: "journal", FS: disk, MinFreeBytes: -1})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		other := journal.Batch{Entries: []journal.Entry{{DedupeKeys: []string{fmt.Sprint(round)}}}}
		if _, err := j.Append(ctx, other); err != nil {
			t.Fatal(err)
		}
		for !j.seen.Loaded() && ctx.Err() == nil {
			time.Sleep(time.Millisecond)
		}
		receipt, err := j.Append(ctx, once)
		cancel()
		if err != nil || receipt.Duplicates != round {
			t.Errorf("opening %d: %+v, %v", round, receipt, err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

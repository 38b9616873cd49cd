package embedded

import (
	"errors"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mailvane/mailvane/receiver/journal"
)

// TestNoAppendIsLeftBehindByClose closes a journal between an append's look at whether it is open and its arrival, and one while
// an append waits to be taken.
func TestNoAppendIsLeftBehindByClose(t *testing.T) {
	t.Parallel()
	j, err := Open(Options{Dir: "journal", FS: vfs.NewMem(), MinFreeBytes: -1})
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if j.arrivals.put(&request{}) {
		t.Error("a journal that is closed takes an append that nobody will answer")
	}
	a, r := newArrivals(), &request{done: make(chan reply, 1)}
	a.put(r)
	a.close(journal.ErrClosed)
	select {
	case answer := <-r.done:
		if !errors.Is(answer.err, journal.ErrClosed) {
			t.Errorf("answered %v, want ErrClosed", answer.err)
		}
	default:
		t.Error("an append that was waiting is not answered")
	}
}

// TestArrivalsAreSignalled puts requests one by one before and after the committer has said how many it waits for.
func TestArrivalsAreSignalled(t *testing.T) {
	t.Parallel()
	a := newArrivals()
	signalled := func() bool {
		select {
		case <-a.some:
			return true
		default:
			return false
		}
	}
	put := func(n int) {
		for range n {
			a.put(&request{})
		}
	}
	put(1)
	if a.next() == nil || a.next() != nil {
		t.Error("one was put, and not one is there")
	}
	a.wait(3) // the signal for the one that was taken is stale
	put(2)
	if signalled() {
		t.Error("signalled for 2 of 3")
	}
	put(1)
	if !signalled() {
		t.Error("not signalled for 3 of 3")
	}
	a.wait(2)
	if !signalled() {
		t.Error("not signalled for more than enough that were there already")
	}
}

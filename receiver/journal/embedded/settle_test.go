package embedded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/embedded/format"
	"github.com/mailvane/mailvane/receiver/journal/embedded/store"
)

// badSector fails reads of tables while it is on.
type badSector struct{ on atomic.Bool }

func (b *badSector) MaybeError(op errorfs.Op) error {
	if b.on.Load() && op.Kind == errorfs.OpFileReadAt && filepath.Ext(op.Path) == ".sst" {
		return errors.New("input/output error")
	}
	return nil
}

func (b *badSector) String() string { return "bad sector" }

// awaitSettlers waits until so many calls of Settle wait for a lock.
func awaitSettlers(count int) {
	for stacks, found := make([]byte, 1<<20), -1; found < count; time.Sleep(time.Millisecond) {
		found = 0
		for stack := range bytes.SplitSeq(stacks[:runtime.Stack(stacks, true)], []byte("\n\n")) {
			if bytes.Contains(stack, []byte("(*queue).Settle(")) && bytes.Contains(stack, []byte("sync.(*Mutex).Lock")) {
				found++
			}
		}
	}
}

// TestASettlementAfterOneThatFailed settles two events of a bundle at the same time. The first settlement buries one and then
// fails, at a read; the second waits for the lock of the queue meanwhile, and finds in memory what the first one did not write.
func TestASettlementAfterOneThatFailed(t *testing.T) { //nolint:paralleltest // it looks at all goroutines
	bad := &badSector{}
	j, err := Open(Options{Dir: "journal", FS: errorfs.Wrap(vfs.NewMem(), bad), MinFreeBytes: -1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close() //nolint:errcheck // nothing depends on it
	for _, name := range []string{"mail/a", "mail/apart", "mail/b", "mail/further apart"} {
		j.queues.get(j, name) // in this order in the store
	}
	appendTo(t, j, "mail/a", "refused", "taken", "last")
	if _, err := j.Append(t.Context(), journal.Batch{Entries: []journal.Entry{{Sinks: []string{"mail/a", "mail/b"}, Payload: []byte("shared")}}}); err != nil {
		t.Fatal(err)
	}
	q := j.queues.get(j, "mail/a")
	d := leaseAfterOthers(t, j, q)

	first, second := make(chan error, 1), make(chan error, 1)
	j.settling.Lock()
	go func() {
		first <- q.Settle(context.Background(), []journal.Settlement{
			{Deliveries: d[:1], Outcome: journal.Dead, DeadLetter: &journal.DeadLetter{Cause: journal.CauseRefused, At: time.Now()}},
			{Deliveries: d[3:]}, // whether the other sink is owed it, is read
		})
	}()
	awaitSettlers(1)
	go func() { second <- q.Settle(context.Background(), []journal.Settlement{{Deliveries: d[1:2]}}) }()
	awaitSettlers(2)
	bad.on.Store(true)
	j.settling.Unlock()
	if err := <-first; !errors.Is(err, journal.ErrUnavailable) {
		t.Fatalf("the settlement that cannot read = %v", err)
	}
	if err := <-second; !errors.Is(err, journal.ErrUnavailable) {
		t.Errorf("the one that waited = %v", err)
	}
	bad.on.Store(false)
	again, err := q.Fetch(t.Context(), journal.Limit{Events: 10})
	if err != nil {
		t.Fatal(err)
	}
	if len(again) != 4 {
		t.Errorf("%d of 4 events are owed again after the repair, and no dead letter is stored", len(again))
	}
}

func appendTo(t *testing.T, j *Journal, sink string, payloads ...string) {
	t.Helper()
	var b journal.Batch
	for _, p := range payloads {
		b.Entries = append(b.Entries, journal.Entry{Sinks: []string{sink}, Payload: []byte(p)})
	}
	if _, err := j.Append(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

// leaseAfterOthers leases what is in q, after so much else has been stored and read that what other queues are owed is in another
// block, which is in no cache.
func leaseAfterOthers(t *testing.T, j *Journal, q *queue) []journal.Delivery {
	t.Helper()
	one, apart := format.Owed{Events: format.SetOf(0)}, j.db.NewBatch()
	for n := range uint64(10_000) {
		for _, name := range []string{"mail/apart", "mail/further apart"} {
			if err := apart.Set(format.OwedKey(j.queues.get(j, name).id, 1<<32+n), one.Encode(), nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := apart.Commit(pebble.NoSync); err != nil {
		t.Fatal(err)
	}
	const large = 700
	for n := range large {
		appendTo(t, j, "mail/large", string(bytes.Repeat([]byte{byte(n)}, 60_000)))
	}
	if err := j.db.Flush(); err != nil {
		t.Fatal(err)
	}
	for n := 0; n < large; {
		d, err := j.Queue("mail/large").Fetch(t.Context(), journal.Limit{Events: 100})
		if err != nil {
			t.Fatal(err)
		}
		n += len(d)
	}
	leased, err := q.Fetch(t.Context(), journal.Limit{Events: 10})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.ReadEvent(j.db, leased[0].Sequence); err != nil { // it is not this read that is to fail
		t.Fatal(err)
	}
	return leased
}

// TestAGroupThatFailedKeepsNoRequest has a group fail, at a read, within a request. The memory of the request is used again.
func TestAGroupThatFailedKeepsNoRequest(t *testing.T) {
	t.Parallel()
	bad := &badSector{}
	o := Options{Dir: "journal", FS: errorfs.Wrap(vfs.NewMem(), bad), MinFreeBytes: -1, Logger: slog.New(slog.DiscardHandler)}
	j, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	var known journal.Batch
	for n := range 5000 { // several blocks of keys
		known.Entries = append(known.Entries, journal.Entry{DedupeKeys: []string{fmt.Sprint(n)}})
	}
	_, err = j.Append(t.Context(), known)
	if err := errors.Join(err, j.Close()); err != nil {
		t.Fatal(err)
	}
	j, err = newJournal(o) // without the loops: the test is the committer
	if err != nil {
		t.Fatal(err)
	}
	defer func() { bad.on.Store(false); _ = j.closeStore() }()
	group, r := j.newGroup(), &request{done: make(chan reply, 1)}
	if err := r.fill(j, &journal.Batch{Entries: []journal.Entry{
		{Sinks: []string{"mail/sink"}, Payload: []byte("one")},
		{DedupeKeys: []string{fmt.Sprint(0)}, Sinks: []string{"mail/sink"}, Payload: []byte("another")},
	}}); err != nil {
		t.Fatal(err)
	}
	bad.on.Store(true)
	group.add(r)
	if len(r.done) == 0 {
		t.Fatal("nothing was read")
	}
	if n := group.bundle.Count(); n > 0 {
		t.Errorf("the group goes on with %d events of a request that was answered", n)
	}
}

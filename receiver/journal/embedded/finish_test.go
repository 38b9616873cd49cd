package embedded

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/embedded/format"
	"github.com/mailvane/mailvane/receiver/journal/embedded/store"
)

// TestRangesTakeNothingElse settles batches of all sizes in any order, of queues that share events in every way: each delivery is
// made, once where it was settled, and nothing is left.
func TestRangesTakeNothingElse(t *testing.T) {
	t.Parallel()
	for seed := range uint64(12) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			newShuffle(t, seed).run()
		})
	}
}

// shuffle is one random course of a journal.
type shuffle struct {
	t      *testing.T
	decide *rand.Rand
	disk   vfs.FS
	j      *Journal
	// open holds what each sink is owed by the test's own account.
	open map[string]map[string]bool
	// leased holds what was fetched and not settled.
	leased map[string][]journal.Delivery
}

func newShuffle(t *testing.T, seed uint64) *shuffle {
	t.Helper()
	s := &shuffle{
		t: t, decide: rand.New(rand.NewPCG(seed, 1)), disk: vfs.NewMem(),
		open:   map[string]map[string]bool{"mail/a": {}, "mail/b": {}, "mail/c": {}},
		leased: map[string][]journal.Delivery{},
	}
	s.start()
	return s
}

func (s *shuffle) start() {
	j, err := Open(Options{Dir: "journal", FS: s.disk, MinFreeBytes: -1})
	if err != nil {
		s.t.Fatal(err)
	}
	s.j = j
}

func (s *shuffle) run() {
	sinks := []string{"mail/a", "mail/b", "mail/c"}
	for step := range 300 {
		switch sink := sinks[s.decide.IntN(3)]; {
		case step < 200 && s.decide.IntN(3) == 0:
			s.append(step, sinks)
		case s.decide.IntN(40) == 0:
			s.restart()
		case s.decide.IntN(2) == 0:
			s.fetch(sink)
		default:
			s.settle(sink)
		}
	}
	s.drain(sinks)
}

func (s *shuffle) append(step int, sinks []string) {
	var b journal.Batch
	sparse := s.decide.IntN(2) == 0
	for i := range 1 + s.decide.IntN(120) {
		e := journal.Entry{Payload: append(fmt.Appendf(nil, "%d.%d", step, i), make([]byte, s.decide.IntN(3000))...)}
		for k, sink := range sinks {
			if (k == 0 && !sparse) || s.decide.IntN(3) == 0 {
				e.Sinks = append(e.Sinks, sink)
				s.open[sink][string(e.Payload)] = true
			}
		}
		b.Entries = append(b.Entries, e)
	}
	if _, err := s.j.Append(s.t.Context(), b); err != nil {
		s.t.Fatal(err)
	}
}

// fetch leases some of what is due, if anything must be.
func (s *shuffle) fetch(sink string) {
	if len(s.open[sink]) == len(s.leased[sink]) {
		return
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), 30*time.Second)
	defer cancel()
	deliveries, err := s.j.Queue(sink).Fetch(ctx, journal.Limit{Events: 1 + s.decide.IntN(100)})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, d := range deliveries {
		if !s.open[sink][string(d.Payload)] {
			s.t.Fatalf("%s gets %s, which it is not owed any more", sink, d.Payload)
		}
	}
	s.leased[sink] = append(s.leased[sink], deliveries...)
}

// settle ends a part of the leases, most of them as delivered.
func (s *shuffle) settle(sink string) {
	leased := s.leased[sink]
	if len(leased) == 0 {
		return
	}
	from := s.decide.IntN(len(leased))
	to := from + 1 + s.decide.IntN(len(leased)-from)
	var settlements []journal.Settlement
	for i, d := range leased[from:to] {
		if !s.open[sink][string(d.Payload)] {
			s.t.Fatalf("the payload of %d changed while it was leased: %.20q", d.Sequence, d.Payload)
		}
		settlement := journal.Settlement{Deliveries: leased[from+i : from+i+1], At: time.Now()}
		if s.decide.IntN(20) == 0 {
			settlement.Outcome = journal.Retry
		} else {
			delete(s.open[sink], string(d.Payload))
		}
		settlements = append(settlements, settlement)
	}
	if s.decide.IntN(2) == 0 {
		s.decide.Shuffle(len(settlements), func(i, k int) { settlements[i], settlements[k] = settlements[k], settlements[i] })
	}
	if err := s.j.Queue(sink).Settle(s.t.Context(), settlements); err != nil {
		s.t.Fatal(err)
	}
	s.leased[sink] = append(append([]journal.Delivery{}, leased[:from]...), leased[to:]...)
}

func (s *shuffle) restart() {
	if err := s.j.Close(); err != nil {
		s.t.Fatal(err)
	}
	s.leased = map[string][]journal.Delivery{}
	s.start()
}

// drain delivers the rest and looks for what is left behind.
func (s *shuffle) drain(sinks []string) {
	for _, sink := range sinks {
		for len(s.open[sink]) > 0 {
			s.fetch(sink)
			s.settle(sink)
		}
		if n := s.j.Stats().Pending[sink]; n != 0 {
			s.t.Errorf("%s: %d pending", sink, n)
		}
	}
	for _, table := range []byte{format.TableOwed, format.TableSchedule, format.TableEvents} {
		err := store.Scan(s.j.db, []byte{table}, []byte{table + 1}, func(key, _ []byte) (bool, error) {
			s.t.Errorf("left behind: %q", key)
			return true, nil
		})
		if err != nil {
			s.t.Error(err)
		}
	}
	if err := s.j.Close(); err != nil {
		s.t.Error(err)
	}
}

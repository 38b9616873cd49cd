package embedded

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/embedded/format"
	"github.com/mailvane/mailvane/receiver/journal/embedded/store"
)

// TestQueuesDoAsTheModelSays does what receivers do in random order, and compares what comes of it with a list of events in memory.
func TestQueuesDoAsTheModelSays(t *testing.T) {
	t.Parallel()
	for range 2 {
		seed := rand.Uint64()
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			newModel(t, seed).run(200)
		})
	}
}

// modelEvent is what one sink is owed.
type modelEvent struct {
	number   int
	payload  string
	attempts int
	due      int64             // in ms, if it was settled for later since the journal was opened or recalled; else 0
	leased   *journal.Delivery // nil = it is not
}

// model is a journal and what it must do.
type model struct {
	*testing.T
	rand    *rand.Rand
	fs      vfs.FS
	now     time.Time
	journal *Journal
	owed    map[string][]*modelEvent      // by sink, in order
	stale   map[string][]journal.Delivery // of leases that ended without a settlement
	next    int
	dead    int
}

func newModel(t *testing.T, seed uint64) *model {
	t.Helper()
	m := &model{
		T: t, rand: rand.New(rand.NewPCG(seed, 0)), fs: vfs.NewMem(), now: time.UnixMilli(1_700_000_000_000),
		owed:  map[string][]*modelEvent{"mail/a": nil, "mail/b": nil, "mail/c": nil},
		stale: map[string][]journal.Delivery{},
	}
	m.open()
	return m
}

func (m *model) sinks() []string { return []string{"mail/a", "mail/b", "mail/c"} }

func (m *model) open() {
	var err error
	m.journal, err = Open(Options{Dir: "journal", FS: m.fs, MinFreeBytes: -1, Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return m.now }})
	if err != nil {
		m.Fatal(err)
	}
}

// run appends and delivers for so many steps, and delivers what is left.
func (m *model) run(steps int) {
	for range steps {
		m.step()
	}
	for left := 1; left > 0; m.now = m.now.Add(time.Second) {
		left = 0
		for _, sink := range m.sinks() {
			m.fetch(sink)
			m.settle(sink)
			left += len(m.owed[sink])
		}
	}
	m.wantEmpty()
	if err := m.journal.Close(); err != nil {
		m.Error(err)
	}
}

func (m *model) step() {
	sink := m.sinks()[m.rand.IntN(3)]
	switch chance := m.rand.IntN(100); {
	case chance < 10:
		m.append()
	case chance < 12:
		if err := m.journal.Close(); err != nil {
			m.Fatal(err)
		}
		m.open()
		m.endLeases()
		clear(m.stale)
	case chance < 14:
		if err := m.journal.Recall(); err != nil {
			m.Fatal(err)
		}
		m.endLeases()
	case chance < 15:
		m.journal.fail(errors.New("it is told to"))
		for m.journal.refusal() != nil {
			time.Sleep(time.Millisecond)
		}
		m.endLeases()
	case chance < 40:
		m.now = m.now.Add(time.Duration(m.rand.IntN(2500)-500) * time.Millisecond)
	case chance < 70:
		m.fetch(sink)
	default:
		m.settle(sink)
	}
}

func (m *model) append() {
	var b journal.Batch
	for range 1 + m.rand.IntN(150) {
		size := m.rand.IntN(20)
		if m.rand.IntN(10) == 0 {
			size = m.rand.IntN(format.MaxBundleBytes)
		}
		e := journal.Entry{Payload: padded(size, m.next), OrderingKey: strconv.Itoa(m.next)}
		for _, sink := range m.sinks() {
			if m.rand.IntN(3) > 0 {
				e.Sinks = append(e.Sinks, sink)
				m.owed[sink] = append(m.owed[sink], &modelEvent{number: m.next, payload: string(e.Payload)})
			}
		}
		m.next++
		b.Entries = append(b.Entries, e)
	}
	if _, err := m.journal.Append(m.Context(), b); err != nil {
		m.Fatal(err)
	}
}

// padded returns a number behind so many spaces that it takes size bytes, or more.
func padded(size, number int) []byte {
	text := strconv.Itoa(number)
	return append(bytes.Repeat([]byte{' '}, max(size-len(text), 0)), text...)
}

// endLeases ends every lease. What was to come later comes in its place.
func (m *model) endLeases() {
	for sink, events := range m.owed {
		for _, e := range events {
			if e.leased != nil {
				m.stale[sink] = append(m.stale[sink], *e.leased)
			}
			e.leased, e.due = nil, 0
		}
	}
}

// due returns what a fetch must return: what was to come later and is due, by time and then in order, and then the rest.
func (m *model) due(sink string) (list []*modelEvent, next int64) {
	var fresh []*modelEvent
	for _, e := range m.owed[sink] {
		switch {
		case e.leased != nil:
		case e.due == 0:
			fresh = append(fresh, e)
		case e.due <= m.now.UnixMilli():
			list = append(list, e)
		case next == 0 || e.due < next:
			next = e.due
		}
	}
	slices.SortStableFunc(list, func(a, b *modelEvent) int { return cmp.Compare(a.due, b.due) })
	return append(list, fresh...), next
}

func (m *model) fetch(sink string) {
	limit := journal.Limit{Events: 1 + m.rand.IntN(200), Bytes: m.rand.IntN(2) * (1 + m.rand.IntN(100_000))}
	want, next := m.due(sink)
	bytes := 0
	for n, e := range want {
		bytes += len(e.payload)
		if n == limit.Events || n > 0 && limit.Bytes > 0 && bytes > limit.Bytes {
			want = want[:n]
			break
		}
	}
	got, at := m.journal.queues.get(m.journal, sink).lease(limit)
	if len(got) != len(want) {
		m.Fatalf("%s: %d deliveries, want %d", sink, len(got), len(want))
	}
	for n, e := range want {
		if got[n].OrderingKey != strconv.Itoa(e.number) || got[n].Attempts != e.attempts || string(got[n].Payload) != e.payload {
			m.Fatalf("%s: delivery %d is of event %s after %d attempts, want %d after %d, or its payload is another",
				sink, n, got[n].OrderingKey, got[n].Attempts, e.number, e.attempts)
		}
		e.leased = &got[n]
	}
	if len(want) == 0 && (next == 0) != at.IsZero() || len(want) == 0 && next != 0 && at.UnixMilli() != next {
		m.Fatalf("%s: something is due at %v, want %v", sink, at, time.UnixMilli(next))
	}
}

// settle settles some of what is leased, in any order, some of it twice, and whatever leases have ended.
func (m *model) settle(sink string) {
	var settlements []journal.Settlement
	for _, d := range m.stale[sink] {
		settlements = append(settlements, journal.Settlement{Deliveries: []journal.Delivery{d}})
	}
	m.stale[sink] = nil
	m.owed[sink] = slices.DeleteFunc(m.owed[sink], func(e *modelEvent) bool {
		if e.leased == nil || m.rand.IntN(4) == 0 {
			return false
		}
		if string(e.leased.Payload) != e.payload {
			m.Fatalf("%s: the payload of event %d has changed while it was leased", sink, e.number)
		}
		one := journal.Settlement{Deliveries: []journal.Delivery{*e.leased}, At: m.now.Add(time.Duration(m.rand.IntN(8000)-3000) * time.Millisecond)}
		one.Outcome = []journal.Outcome{journal.Delivered, journal.Delivered, journal.Delivered, journal.Retry, journal.Defer, journal.Dead}[m.rand.IntN(6)]
		switch one.Outcome {
		case journal.Delivered:
		case journal.Retry, journal.Defer:
			e.leased, e.due = nil, one.At.UnixMilli()
			if one.Outcome == journal.Retry {
				e.attempts++
			}
		case journal.Dead:
			one.DeadLetter = &journal.DeadLetter{Cause: journal.CauseRefused, At: m.now}
			m.dead++
		}
		for range 1 + m.rand.IntN(20)/19 {
			settlements = append(settlements, one)
		}
		return e.leased != nil
	})
	m.rand.Shuffle(len(settlements), func(i, k int) { settlements[i], settlements[k] = settlements[k], settlements[i] })
	if err := m.journal.Queue(sink).Settle(m.Context(), settlements); err != nil {
		m.Fatal(err)
	}
}

// wantEmpty looks for what should have been deleted, and for dead letters.
func (m *model) wantEmpty() {
	for _, table := range []byte{format.TableOwed, format.TableSchedule, format.TableEvents} {
		err := store.Scan(m.journal.db, []byte{table}, []byte{table + 1}, func(key, _ []byte) (bool, error) {
			m.Errorf("key %q is left", key)
			return false, nil
		})
		if err != nil {
			m.Error(err)
		}
	}
	<-m.journal.counted
	s := m.journal.Stats()
	for sink, pending := range s.Pending {
		if pending != 0 {
			m.Errorf("%s: %d are owed, want none", sink, pending)
		}
	}
	if s.DeadLetters != int64(m.dead) {
		m.Errorf("%d dead letters, want %d", s.DeadLetters, m.dead)
	}
}

package journaltest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/mailvane/mailvane/receiver/journal"
)

func spacePromises() []promise {
	return []promise{
		{"a full journal refuses, keeps what it has, and recovers when it is emptied", fullRecovers},
		{"dead letters can be dropped from a full journal", dropFromFull},
		{"what is not verified fills a small share and nobody else's", unverifiedShare},
		{"dead letters fill a share of their own, and events go on", deadLetterShare},
		{"an event that a sink refused is not sent again for want of room for a dead letter", deadWithoutRoom},
		{"one endpoint does not keep the others out", endpointShare},
	}
}

// big returns an entry of 4 KiB that does not compress.
func big(n int, sinks ...string) journal.Entry {
	e := entry(n, sinks...)
	e.Payload = make([]byte, 4096)
	state := uint64(n)*2654435761 + 1
	for i := range e.Payload {
		state ^= state << 13
		state ^= state >> 7
		state ^= state << 17
		e.Payload[i] = byte(state)
	}
	return e
}

// fill appends until the journal is full and returns how many entries it took.
func fill(t *testing.T, j journal.Journal, first int, sinks ...string) int {
	t.Helper()
	return fillAs(t, j, journal.Batch{}, first, sinks...)
}

// fillAs appends for an endpoint until the journal takes no more from it, and returns how many entries it took.
func fillAs(t *testing.T, j journal.Journal, from journal.Batch, first int, sinks ...string) int {
	t.Helper()
	const most, batch = 100_000, 20
	for n := first; n < most; n += batch {
		b := from
		for i := range batch {
			b.Entries = append(b.Entries, big(n+i, sinks...))
		}
		err := appendPatiently(t, j, b)
		if errors.Is(err, journal.ErrFull) {
			return n - first
		}
		if err != nil {
			t.Fatalf("Append: %v", err)
		}
	}
	t.Fatal("the journal never was full")
	return 0
}

// appendPatiently appends as senders do, who come again: a journal may be full for as long as it puts in order what it has.
func appendPatiently(t *testing.T, j journal.Journal, b journal.Batch) (err error) {
	t.Helper()
	const tries, pause = 10, 100 * time.Millisecond
	for range tries {
		if _, err = j.Append(t.Context(), b); !errors.Is(err, journal.ErrFull) {
			return err
		}
		time.Sleep(pause)
	}
	return err
}

func fullRecovers(t *testing.T, h Harness) {
	if h.OpenSmall == nil {
		t.Skip("no bound")
	}
	j := h.OpenSmall(t)
	next := 0
	for range 2 {
		count := fill(t, j, next, sinkA, sinkB)
		h.shows(t, "the statistics say that it is full", func() bool { return strings.Contains(j.Stats().Problem, "full") })
		h.shows(t, "the statistics count what was taken", func() bool { return j.Stats().Pending[sinkA] == int64(count) })
		for _, sink := range []string{sinkA, sinkB} {
			for left := count; left > 0; {
				got := fetch(t, j, sink, min(left, 500))
				delivered(t, j, sink, got...)
				left -= len(got)
			}
		}
		next += count
		eventually(t, "the journal takes entries again", func() bool {
			_, err := j.Append(t.Context(), journal.Batch{Entries: []journal.Entry{big(next, sinkA, sinkB)}})
			if err != nil && !errors.Is(err, journal.ErrFull) {
				t.Fatalf("Append: %v", err)
			}
			return err == nil
		})
		h.shows(t, "the statistics say that it is not full any more", func() bool { return j.Stats().Problem == "" })
		for _, sink := range []string{sinkA, sinkB} {
			delivered(t, j, sink, fetch(t, j, sink, 1)...)
		}
		next++
	}
}

func dropFromFull(t *testing.T, h Harness) {
	if h.OpenSmall == nil {
		t.Skip("no bound")
	}
	j := h.OpenSmall(t)
	mustAppend(t, j, letters(1))
	fill(t, j, 0, sinkA)
	dropped, err := j.DeadLetters().Drop(t.Context(), []uint64{list(t, j, 0, 1)[0].ID})
	if err != nil || dropped != 1 {
		t.Errorf("Drop = %d, %v, want 1", dropped, err)
	}
}

// as returns a batch of the same origin with one entry.
func as(b journal.Batch, e journal.Entry) journal.Batch {
	b.Entries = []journal.Entry{e}
	return b
}

// takes checks that the journal has room for more of an endpoint: a number of entries. It may have to tidy up for a moment.
func takes(t *testing.T, j journal.Journal, from journal.Batch, first, count int) {
	t.Helper()
	for n := first; n < first+count; n++ {
		eventually(t, "another endpoint finds room", func() bool {
			_, err := j.Append(t.Context(), as(from, big(n, sinkB)))
			if err != nil && !errors.Is(err, journal.ErrFull) {
				t.Fatalf("after %d entries: %v", n-first, err)
			}
			return err == nil
		})
	}
}

func unverifiedShare(t *testing.T, h Harness) {
	if h.OpenSmall == nil {
		t.Skip("no bound")
	}
	j := h.OpenSmall(t)
	strange, genuine := journal.Batch{Endpoint: "mail/strange", Unverified: true}, journal.Batch{Endpoint: "mail/genuine"}
	count := fillAs(t, j, strange, 0, sinkA)
	if limit := int(j.Stats().MaxBytes / 2 / 4096); count == 0 || count > limit {
		t.Errorf("%d entries that nobody vouches for were taken, of %d that fill half of the journal", count, limit)
	}
	if problem := j.Stats().Problem; problem != "" {
		t.Errorf("the journal says that it takes nothing: %s", problem)
	}
	takes(t, j, genuine, 10_000, 1000) // a quarter of the journal
	if _, err := j.Append(t.Context(), as(strange, big(20_000, sinkA))); !errors.Is(err, journal.ErrShare) {
		t.Errorf("one more that nobody vouches for: %v", err)
	}
}

func endpointShare(t *testing.T, h Harness) {
	if h.OpenSmall == nil {
		t.Skip("no bound")
	}
	j := h.OpenSmall(t)
	loud, quiet := journal.Batch{Endpoint: "mail/loud"}, journal.Batch{Endpoint: "mail/quiet"}
	if count := fillAs(t, j, loud, 0, sinkA); count < int(j.Stats().MaxBytes/4/4096) {
		t.Errorf("one endpoint alone can store %d entries", count)
	}
	next := 5000
	eventually(t, "the statistics say that it is full", func() bool { // it may have tidied up meanwhile, and have room again
		next += fillAs(t, j, loud, next, sinkA)
		return strings.Contains(j.Stats().Problem, "full")
	})
	takes(t, j, quiet, 10_000, 20)
}

func deadLetterShare(t *testing.T, h Harness) {
	if h.OpenSmall == nil {
		t.Skip("no bound")
	}
	j := h.OpenSmall(t)
	add := func(n int) error {
		d := letter(n)
		d.Payload = big(n).Payload
		_, err := j.Append(t.Context(), journal.Batch{Endpoint: "mail/odd", DeadLetters: []journal.DeadLetter{d}})
		if err != nil && !errors.Is(err, journal.ErrFull) {
			t.Fatalf("dead letter %d: %v", n, err)
		}
		return err
	}
	stored := 0
	for range 2 {
		for add(stored) == nil {
			stored++
		}
		mustClose(t, j) // what there is counts after a restart, too
		j = h.OpenSmall(t)
	}
	for add(stored) == nil {
		stored++
	}
	if err := add(stored); !errors.Is(err, journal.ErrDeadLetters) {
		t.Errorf("one more: %v", err)
	}
	if s := j.Stats(); s.Problem != "" || !strings.Contains(s.Warning, "no room for more dead letters") {
		t.Errorf("the statistics say %+v", s)
	}
	if limit := int(j.Stats().MaxBytes / 2 / 4096); stored == 0 || stored > limit {
		t.Errorf("%d dead letters were taken, of %d that fill half of the journal", stored, limit)
	}
	takes(t, j, journal.Batch{Endpoint: "mail/odd"}, 10_000, 1000)
	all := list(t, j, 0, stored)
	if len(all) != stored {
		t.Fatalf("%d dead letters, want %d", len(all), stored)
	}
	var ids []uint64
	for i := range all[1:] { // right after a start it may have taken more, before it had counted
		ids = append(ids, all[i].ID)
	}
	if _, err := j.DeadLetters().Drop(t.Context(), ids); err != nil {
		t.Fatal(err)
	}
	eventually(t, "there is room for a dead letter again", func() bool { return add(stored) == nil })
	eventually(t, "nothing is amiss any more", func() bool { return j.Stats().Warning == "" })
}

// doomMoment is for how long it is watched that nothing is sent again: longer than a second, which would be too short a pause.
const doomMoment = 2500 * time.Millisecond

// deadWithoutRoom has a sink refuse an event when there is no room for dead letters. An implementation may have some for those.
func deadWithoutRoom(t *testing.T, h Harness) {
	if h.OpenSmall == nil {
		t.Skip("no bound")
	}
	j := h.OpenSmall(t)
	stored, err := 0, error(nil)
	for ; err == nil; stored++ {
		d := letter(stored)
		d.Payload = big(stored).Payload
		_, err = j.Append(t.Context(), journal.Batch{DeadLetters: []journal.DeadLetter{d}})
	}
	if !errors.Is(err, journal.ErrDeadLetters) {
		t.Fatalf("Append: %v", err)
	}
	const refused = 3
	for n := range refused {
		mustAppend(t, j, journal.Batch{Entries: []journal.Entry{big(10_000+n, sinkA)}})
	}
	mustAppend(t, j, journal.Batch{Entries: []journal.Entry{entry(20_000, sinkA)}})
	leased := fetchAll(t, j, sinkA, refused+1)
	var dead []journal.Settlement
	for n := range refused {
		dead = append(dead, journal.Settlement{Deliveries: leased[n : n+1], Outcome: journal.Dead, DeadLetter: &journal.DeadLetter{Cause: journal.CauseRefused, Reason: "no"}})
	}
	if err := j.Queue(sinkA).Settle(t.Context(), append(dead, journal.Settlement{Deliveries: leased[refused:], Outcome: journal.Delivered})); err != nil {
		t.Fatalf("Settle: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), doomMoment)
	defer cancel()
	if again, err := j.Queue(sinkA).Fetch(ctx, journal.Limit{Events: 10}); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("%d events are to be sent again: %v", len(again), err)
	}
	mustAppend(t, j, entries(30_000, 1, sinkA))
	delivered(t, j, sinkA, fetch(t, j, sinkA, 1)...)

	var ids []uint64
	for _, d := range list(t, j, 0, refused+1) {
		ids = append(ids, d.ID)
	}
	if _, err := j.DeadLetters().Drop(t.Context(), ids); err != nil {
		t.Fatal(err)
	}
	eventually(t, "what was refused becomes dead letters", func() bool {
		count := 0
		for _, d := range list(t, j, 0, 2*stored) {
			if d.Sink == sinkA && d.Attempts == 1 && d.Cause == journal.CauseRefused && d.Reason == "no" {
				count++
			}
		}
		return count == refused && j.Stats().Pending[sinkA] == 0
	})
	last, err := j.DeadLetters().Get(t.Context(), list(t, j, 0, 2*stored)[len(list(t, j, 0, 2*stored))-1].ID)
	if err != nil || len(last.Payload) != 4096 {
		t.Errorf("%d bytes of the event, %v", len(last.Payload), err)
	}
}

package publish

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/mailvane/mailvane/receiver/journal"
)

// servers answer batches. A test says what they refuse.
type servers struct {
	refuse func(subjects []string) error

	mu      sync.Mutex
	batches [][]string
	stored  []string
}

// Send implements Sender.
func (s *servers) Send(messages []*nats.Msg) (jetstream.PubAckFuture, error) {
	var subjects []string
	for _, m := range messages {
		subjects = append(subjects, m.Subject)
	}
	f := &future{ok: make(chan *jetstream.PubAck, 1), err: make(chan error, 1)}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.batches = append(s.batches, subjects)
	if s.refuse != nil {
		if err := s.refuse(subjects); err != nil {
			f.err <- err
			return f, nil
		}
	}
	s.stored = append(s.stored, subjects...)
	f.ok <- &jetstream.PubAck{}
	return f, nil
}

// Explain implements Sender.
func (s *servers) Explain(err error) error { return err }

type future struct {
	jetstream.PubAckFuture
	ok  chan *jetstream.PubAck
	err chan error
}

func (f *future) Ok() <-chan *jetstream.PubAck { return f.ok }
func (f *future) Err() <-chan error            { return f.err }

func refusal(code jetstream.ErrorCode) error { return &jetstream.APIError{ErrorCode: code} }

// items returns one item for each name; what is before a "=" is its key.
func items(names ...string) (list []*Item) {
	for _, name := range names {
		key, _, _ := strings.Cut(name, "=")
		list = append(list, &Item{Key: key, Messages: []*nats.Msg{nats.NewMsg(name)}})
	}
	return list
}

// running runs a publisher until the test ends; f runs beside it, in a bubble with a clock of its own.
func running(t *testing.T, share bool, s *servers, f func(t *testing.T, p *Publisher)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		p := New(share, func() Sender { return s }, &atomic.Int64{})
		var group sync.WaitGroup
		group.Go(func() { p.Run(ctx) })
		f(t, p)
		cancel()
		group.Wait()
		if _, err := p.Add(t.Context(), items("late")); err == nil && len(p.requests) == 0 {
			t.Error("something is taken that nobody publishes")
		}
	})
}

// store hands names over and waits for them.
func store(p *Publisher, names ...string) (duplicates int, err error) {
	ctx, cancel := context.WithTimeoutCause(context.Background(), Timeout, ErrTooSlow)
	defer cancel()
	r, err := p.Add(ctx, items(names...))
	if err != nil {
		return 0, err
	}
	err = r.Wait(ctx)
	return r.Duplicates(), err
}

// TestOneDuplicateCostsTheOthersNothing refuses batches because of one duplicate: the rest is stored, that of each key in order.
func TestOneDuplicateCostsTheOthersNothing(t *testing.T) {
	t.Parallel()
	s := &servers{refuse: func(subjects []string) error {
		if slices.Contains(subjects, "a=2") {
			return refusal(codeDuplicate)
		}
		return nil
	}}
	running(t, true, s, func(t *testing.T, p *Publisher) {
		if duplicates, err := store(p, "a=1", "b=1", "a=2", "a=3", "b=2"); duplicates != 1 || err != nil {
			t.Errorf("%d duplicates, %v", duplicates, err)
		}
	})
	if diff := cmp.Diff([]string{"a=1", "b=1", "a=2", "a=3", "b=2"}, s.batches[0]); diff != "" {
		t.Error(diff)
	}
	for key, want := range map[string][]string{"a": {"a=1", "a=3"}, "b": {"b=1", "b=2"}} {
		got := slices.DeleteFunc(slices.Clone(s.stored), func(name string) bool { return !strings.HasPrefix(name, key) })
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

// TestNothingOvertakesWhatIsRefused refuses an item for good: what is behind it with its key is not stored, and the request says why.
func TestNothingOvertakesWhatIsRefused(t *testing.T) {
	t.Parallel()
	s := &servers{refuse: func(subjects []string) error {
		if slices.Contains(subjects, "a=2") {
			return refusal(10054) // JSStreamMessageExceedsMaximumErr
		}
		return nil
	}}
	running(t, true, s, func(t *testing.T, p *Publisher) {
		_, err := store(p, "a=1", "a=2", "a=3", "b=1")
		if CodeOf(err) != 10054 || !errors.Is(JournalError(err), journal.ErrUnavailable) {
			t.Errorf("%v", err)
		}
	})
	if slices.Contains(s.stored, "a=3") || !slices.Contains(s.stored, "a=1") || !slices.Contains(s.stored, "b=1") {
		t.Errorf("stored %v", s.stored)
	}
}

// TestWhatIsRefusedForTheMomentIsTriedAgain refuses for a while, and for longer than a request waits.
func TestWhatIsRefusedForTheMomentIsTriedAgain(t *testing.T) {
	t.Parallel()
	for _, code := range []jetstream.ErrorCode{codeInProcess, codeIncompleteBatch, CodeTooManyBatches} {
		left := 5
		s := &servers{refuse: func([]string) error {
			if left--; left >= 0 {
				return refusal(code)
			}
			return nil
		}}
		running(t, false, s, func(t *testing.T, p *Publisher) {
			if _, err := store(p, "a=1"); err != nil || len(s.batches) != 6 {
				t.Errorf("%d: %v after %d attempts", code, err, len(s.batches))
			}
		})
	}
	s := &servers{refuse: func([]string) error { return refusal(CodeTooManyBatches) }}
	running(t, false, s, func(t *testing.T, p *Publisher) {
		if _, err := store(p, "a=1"); !errors.Is(err, ErrTooSlow) && CodeOf(err) != CodeTooManyBatches {
			t.Errorf("%v, want that it was too slow or refused", err)
		}
	})
}

// TestRequestsShareABatch hands requests over while others are under way: they are in few batches, or each in its own.
func TestRequestsShareABatch(t *testing.T) {
	t.Parallel()
	const requests = 200
	for _, share := range []bool{true, false} {
		s := &servers{}
		running(t, share, s, func(t *testing.T, p *Publisher) {
			var pending []*Request
			for n := range requests {
				r, err := p.Add(t.Context(), items(fmt.Sprint("k=", n)))
				if err != nil {
					t.Fatal(err)
				}
				pending = append(pending, r)
			}
			for _, r := range pending {
				if err := r.Wait(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
		if len(s.stored) != requests || share != (len(s.batches) < requests) {
			t.Errorf("share %v: %d stored in %d batches", share, len(s.stored), len(s.batches))
		}
		for _, b := range s.batches {
			if len(b) > groupMessages {
				t.Errorf("%d messages in a batch", len(b))
			}
		}
	}
}

// TestALargeRequestIsSeveralBatches hands over more messages, and more bytes, than a batch may hold.
func TestALargeRequestIsSeveralBatches(t *testing.T) {
	t.Parallel()
	var many []string
	for n := range 2*groupMessages + 1 {
		many = append(many, fmt.Sprint("k=", n))
	}
	s := &servers{}
	running(t, true, s, func(t *testing.T, p *Publisher) {
		if _, err := store(p, many...); err != nil {
			t.Error(err)
		}
		large := items("l=1", "l=2", "l=3")
		for _, i := range large {
			i.Messages[0].Data = make([]byte, groupBytes*2/3)
		}
		r, err := p.Add(t.Context(), large)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Wait(t.Context()); err != nil {
			t.Error(err)
		}
	})
	var sizes []int
	for _, b := range s.batches {
		sizes = append(sizes, len(b))
	}
	if diff := cmp.Diff([]int{groupMessages, groupMessages, 1, 1, 1, 1}, sizes); diff != "" || !slices.Equal(s.stored[:len(many)], many) {
		t.Errorf("batches of %v, or in another order", sizes)
	}
}

// TestEveryRequestEnds has no connection, and no publisher any more.
func TestEveryRequestEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	p := New(true, func() Sender { return nil }, &atomic.Int64{})
	var group sync.WaitGroup
	group.Go(func() { p.Run(ctx) })
	if _, err := store(p, "a=1"); !errors.Is(err, ErrNotConnected) {
		t.Errorf("without a connection: %v", err)
	}
	cancel()
	group.Wait()
	for range cap(p.requests) + 1 { // what is put where nobody takes it ends with its context
		if _, err := p.Add(t.Context(), items("a=1")); err != nil && !errors.Is(err, journal.ErrClosed) {
			t.Fatalf("after the end: %v", err)
		}
	}
	if r, err := p.Add(t.Context(), nil); r != nil || err != nil || r.Wait(t.Context()) != nil || r.Duplicates() != 0 {
		t.Errorf("nothing to store: %v, %v", r, err)
	}
}

// TestBatchesAreStamped sends one set of messages twice, as after a refusal, and then alone.
func TestBatchesAreStamped(t *testing.T) {
	t.Parallel()
	m := nats.NewMsg("a")
	m.Header.Set("Mailvane-Key", "k")
	stamp(m, "batch", 2, true)
	if want := (nats.Header{"Mailvane-Key": {"k"}, HeaderBatch: {"batch"}, headerBatchSequence: {"2"}, headerBatchCommit: {"1"}}); cmp.Diff(want, m.Header) != "" {
		t.Errorf("%v", m.Header)
	}
	m.Reply = "of the attempt before"
	stamp(m, "", 1, true)
	if want := (nats.Header{"Mailvane-Key": {"k"}}); cmp.Diff(want, m.Header) != "" || m.Reply != "" {
		t.Errorf("alone: %v, reply %s", m.Header, m.Reply)
	}
}

// TestErrorsOfTheServers sorts them.
func TestErrorsOfTheServers(t *testing.T) {
	t.Parallel()
	full := &jetstream.APIError{ErrorCode: codeStoreFailed, Description: "maximum bytes exceeded"}
	for name, test := range map[string]struct {
		err               error
		refused, objected bool
		want              error
	}{
		"no space":             {refusal(codeNoStorage), false, false, journal.ErrFull},
		"no resources":         {refusal(codeNoResources), false, false, journal.ErrFull},
		"the account is full":  {refusal(codeAccountFull), false, false, journal.ErrFull},
		"the stream is full":   {full, false, false, journal.ErrFull},
		"the store has failed": {refusal(codeStoreFailed), false, false, journal.ErrUnavailable},
		"no leader":            {refusal(CodeNoLeader), false, false, journal.ErrUnavailable},
		"too many batches":     {refusal(CodeTooManyBatches), true, false, journal.ErrUnavailable},
		"no responders":        {nats.ErrNoResponders, true, false, journal.ErrUnavailable},
		"too slow":             {ErrTooSlow, false, false, journal.ErrUnavailable},
		"something else":       {refusal(10054), false, true, journal.ErrUnavailable},
	} {
		if got := refused(test.err); got != test.refused {
			t.Errorf("%s: refused %v", name, got)
		}
		if got := objected(test.err); got != test.objected {
			t.Errorf("%s: objected %v", name, got)
		}
		if got := JournalError(test.err); !errors.Is(got, test.want) || !errors.Is(got, test.err) {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

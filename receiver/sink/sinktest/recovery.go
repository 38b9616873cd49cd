package sinktest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/sink"
)

// Sizes of the tests of recovery: the destination fails in the middle.
const (
	recovered     = 10_000
	recoveryBatch = 250
)

// deliver sends messages as a worker does, until the sink has all but what it refuses for good, whose indices it returns.
func deliver(t *testing.T, s sink.Sink, messages []sink.Message, failed func()) (refused []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 6*patience)
	defer cancel()
	for len(messages) > 0 && ctx.Err() == nil {
		err := s.Send(ctx, sink.NewBatch(messages))
		parts := sink.FailedOf(err, len(messages))
		switch {
		case err == nil:
			return refused
		case parts != nil:
			var left []sink.Message
			for i := range messages {
				if parts[i] != nil && sink.IsPermanent(parts[i]) {
					refused = append(refused, messages[i].ID)
				} else if parts[i] != nil {
					left = append(left, messages[i])
				}
			}
			messages = left
		case sink.IsPermanent(err) && len(messages) == 1:
			return append(refused, messages[0].ID)
		case sink.IsPermanent(err):
			half := len(messages) / 2
			return append(append(refused, deliver(t, s, messages[:half], failed)...), deliver(t, s, messages[half:], failed)...)
		default:
			failed()
		}
	}
	if ctx.Err() != nil {
		t.Fatalf("%d messages are still owed", len(messages))
	}
	return refused
}

// Recover checks one promise, as [Run] does, of a destination that cannot be broken while others use it.
func Recover(t *testing.T, h Harness) {
	t.Helper()
	recovers(t, h)
}

// recovers has the destination fail in the middle of many events, and be there again: each arrives.
func recovers(t *testing.T, h Harness) {
	if h.Break == nil || h.Mend == nil {
		t.Skip("the destination cannot be broken and mended")
	}
	s := open(t, h)
	size := min(recoveryBatch, maxBatch(s))
	failures := 0
	mend := func() {
		if failures++; failures == 2 {
			h.Mend(t)
		}
	}
	n := 0
	for chunk := range slices.Chunk(Messages(0, recovered), size) {
		if n += len(chunk); n-len(chunk) <= recovered/2 && n > recovered/2 {
			h.Break(t)
		}
		if refused := deliver(t, s, chunk, mend); len(refused) > 0 {
			t.Fatalf("refused for good: %v", refused)
		}
	}
	if failures == 0 {
		t.Error("nothing has failed")
	}
	got := slices.Sorted(slices.Values(h.Received(t)))
	distinct := slices.Compact(slices.Clone(got))
	t.Logf("%d events, %d attempts failed, %d arrived, %d of them different", recovered, failures, len(got), len(distinct))
	if diff := cmp.Diff(ids(0, recovered), distinct); diff != "" {
		t.Error(diff)
	}
}

// refusesOversizeAlone sends one message among others that is larger than the destination takes.
func refusesOversizeAlone(t *testing.T, h Harness) {
	if h.Bound == nil {
		t.Skip("the destination takes messages of any size")
	}
	s := open(t, h)
	const bound = 64 << 10
	h.Bound(t, bound)
	messages := Messages(0, 9)
	large := &messages[4]
	large.Envelope = bytes.Replace(large.Envelope, []byte(`"big":`), append(append([]byte(`"text":"`), bytes.Repeat([]byte("x"), 2*bound)...), `","big":`...), 1)
	var refused []string
	for chunk := range slices.Chunk(messages, min(len(messages), maxBatch(s))) {
		refused = append(refused, deliver(t, s, chunk, func() {})...)
	}
	if diff := cmp.Diff([]string{ID(4)}, refused); diff != "" {
		t.Errorf("refused for good: %s", diff)
	}
	got := h.Received(t)
	for i, id := range ids(0, 9) {
		if i != 4 && !slices.Contains(got, id) {
			t.Errorf("%s did not arrive", id)
		}
	}
}

// closesWhileSending closes a sink during a send, which ends with its context all the same.
func closesWhileSending(t *testing.T, h Harness) {
	if h.Stall == nil {
		t.Skip("the destination cannot be stalled")
	}
	s := open(t, h)
	h.Stall(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	sent, closed := make(chan error, 1), make(chan struct{})
	go func() { sent <- s.Send(ctx, Batch(0, 1)) }()
	go func() {
		defer close(closed)
		_ = s.Close() // what it says of a send that goes on is its own affair
	}()
	select {
	case <-closed:
	case <-time.After(patience):
		t.Fatal("Close waits for a send that does not end")
	}
	cancel()
	select {
	case err := <-sent:
		if sink.IsPermanent(err) || err == nil && !errors.Is(ctx.Err(), context.Canceled) {
			t.Errorf("Send = %v", err)
		}
	case <-time.After(patience):
		t.Error("Send does not end with its context")
	}
}

// knowsABatchAgain sends one batch twice, and another.
func knowsABatchAgain(t *testing.T, h Harness) {
	if h.Batches == nil {
		t.Skip("the destination does not tell batches apart")
	}
	s := open(t, h)
	size := min(5, maxBatch(s))
	for _, b := range []sink.Batch{Batch(0, size), Batch(0, size), Batch(9, size)} {
		if err := s.Send(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	got := h.Batches(t)
	if len(got) != 3 || got[0] != got[1] || got[0] == got[2] {
		t.Errorf("batches: %q, want one twice and another", got)
	}
}

package kafkasink_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/sinktest"
)

// TestAnAnswerThatIsLost has the broker store what it says it did not: sent again by the client, it is stored once. Without idempotence it
// is not.
func TestAnAnswerThatIsLost(t *testing.T) {
	t.Parallel()
	for idempotence, want := range map[string]func(n int) bool{
		"Enable":  func(n int) bool { return n == 100 },
		"Disable": func(n int) bool { return n > 100 },
	} {
		d := start(t)
		d.fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.RequestTimedOut, Count: 2})
		must(t, d.open(t, basic+`,"idempotence":"`+idempotence+`"`).Send(t.Context(), sinktest.Batch(0, 100)))
		if n := len(d.received(t)); !want(n) {
			t.Errorf("%s: %d records of 100 events", idempotence, n)
		}
	}
}

// hold has the broker keep what is produced, and its answers, until release is called.
func (d *destination) hold(t *testing.T) (held <-chan struct{}, release func()) {
	t.Helper()
	here, gate := make(chan struct{}, 1), make(chan struct{})
	d.cluster.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		d.cluster.DropControl()
		here <- struct{}{}
		d.cluster.SleepControl(func() { <-gate })
		return nil, nil, false
	})
	release = sync.OnceFunc(func() { close(gate) })
	t.Cleanup(release)
	return here, release
}

// TestASendThatEndsTooEarly has what it sent arrive all the same: sent again, it is not there twice.
func TestASendThatEndsTooEarly(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]bool{"the next one comes before the answer": true, "it comes behind it": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := start(t)
			s := d.open(t, basic)
			must(t, s.Send(t.Context(), sinktest.Batch(0, 1)))
			held, release := d.hold(t)
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- s.Send(ctx, sinktest.Batch(1, 5)) }()
			<-held
			cancel()
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Fatalf("Send = %v", err)
			}
			if before {
				time.AfterFunc(300*time.Millisecond, release)
			} else {
				release()
				for len(d.received(t)) < 6 {
					time.Sleep(10 * time.Millisecond)
				}
			}
			must(t, s.Send(t.Context(), sinktest.Batch(1, 7)))
			if n := len(d.received(t)); n != 8 {
				t.Errorf("%d records of 8 events", n)
			}
			must(t, s.Send(t.Context(), sinktest.Batch(1, 1)))
			if n := len(d.received(t)); n != 9 { // a replay is sent
				t.Errorf("%d records, want one more for an event that is sent again on purpose", n)
			}
		})
	}
}

// TestAServerThatConfirmsNothing takes what is sent and never answers: Send ends with its context.
func TestAServerThatConfirmsNothing(t *testing.T) {
	t.Parallel()
	d := start(t)
	s := d.open(t, basic)
	must(t, s.Send(t.Context(), sinktest.Batch(0, 1)))
	d.cluster.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		d.cluster.KeepControl()
		return nil, nil, true
	})
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	err := s.Send(ctx, sinktest.Batch(1, 2))
	if !errors.Is(err, context.DeadlineExceeded) || sink.IsPermanent(err) {
		t.Errorf("Send = %v", err)
	}
}

// TestItIsToldWhyNothingIsAnswered has the broker gone for good while a send waits, which says so before its time is over.
func TestItIsToldWhyNothingIsAnswered(t *testing.T) {
	t.Parallel()
	d := start(t)
	s := d.open(t, basic)
	must(t, s.Send(t.Context(), sinktest.Batch(0, 1)))
	d.stop()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := s.Send(ctx, sinktest.Batch(1, 2)); sink.CauseOf(err) != sink.DestinationUnreachable {
		t.Errorf("Send = %v", err)
	}
}

// TestAnotherClusterAtTheSameName has none of the topics' ids, producers and records that the sink knows.
func TestAnotherClusterAtTheSameName(t *testing.T) {
	t.Parallel()
	d := start(t)
	s := d.open(t, basic)
	must(t, s.Send(t.Context(), sinktest.Batch(0, 10)))
	d.stop()
	d.dir = t.TempDir()
	d.run(t, d.options)
	var err error
	for range 5 {
		if err = s.Send(t.Context(), sinktest.Batch(10, 10)); err == nil {
			break
		}
		if sink.IsPermanent(err) {
			t.Fatalf("Send = %v", err)
		}
	}
	must(t, err)
	if n := len(d.received(t)); n != 10 {
		t.Errorf("%d records of 10 events", n)
	}
}

// TestMemoryIsUsedAgain has that of the messages overwritten behind a send, whose records are still to be sent.
func TestMemoryIsUsedAgain(t *testing.T) {
	t.Parallel()
	d := start(t)
	s := d.open(t, basic)
	must(t, s.Send(t.Context(), sinktest.Batch(0, 1)))
	d.stop()
	messages := sinktest.Messages(1, 5)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := s.Send(ctx, sink.NewBatch(messages)); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("Send = %v", err)
	}
	for i := range messages {
		clear(messages[i].Envelope)
	}
	d.mend(t)
	for s.Send(t.Context(), sinktest.Batch(1, 5)) != nil {
		time.Sleep(50 * time.Millisecond)
	}
	if ids := d.received(t); len(ids) != 6 { // which reads each
		t.Errorf("%d records of 6 events", len(ids))
	}
}

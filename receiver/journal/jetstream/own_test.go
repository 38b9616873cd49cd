package jetstream_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/jetstream"
	"github.com/mailvane/mailvane/test/nats"
)

// TestHurryTakesNoSinkEarly has a receiver look again and again while another does not answer. For a while the other may still
// hand out what it has.
func TestHurryTakesNoSinkEarly(t *testing.T) {
	t.Parallel()
	c := startServers(t, nats.Options{Servers: 1})
	one := open(t, options(c))
	_, err := one.Append(t.Context(), batch(entry("1", sinkA)))
	mustDo(t, err)
	fetchAll(t, one, 1)
	other := open(t, otherReceiver(c))
	taken := make(chan error)
	go func() {
		_, err := other.Queue(sinkA).Fetch(t.Context(), journal.Limit{Events: 1})
		taken <- err
	}()
	gone := time.Now()
	one.Abandon()
	for {
		select {
		case err := <-taken:
			if after := time.Since(gone); err != nil || after < jetstream.FenceAfter {
				t.Errorf("the sink was taken over after %v: %v", after, err)
			}
			return
		default:
			_, err := other.DeadLetters().Drop(t.Context(), nil) // it looks at once
			mustDo(t, err)
		}
	}
}

// TestAForeignConsumerIsNamed has somebody else consume the events.
func TestAForeignConsumerIsNamed(t *testing.T) {
	t.Parallel()
	c := startServers(t, nats.Options{Servers: 1})
	o := options(c)
	log := make(chan string, 10)
	o.Logger = slog.New(slog.NewTextHandler(lines(log), nil))
	j := open(t, o)
	admin, end := dial(t, c.URLs()[0])
	defer end()
	_, err := admin.CreateConsumer(t.Context(), "test", natsjs.ConsumerConfig{Durable: "look", AckPolicy: natsjs.AckExplicitPolicy, FilterSubject: "test.sink.>"})
	mustDo(t, err)
	_, err = j.Append(t.Context(), batch(entry("1", sinkA)))
	mustDo(t, err)
	fed := make(chan error)
	go func() {
		_, err := j.Queue(sinkA).Fetch(t.Context(), journal.Limit{Events: 1})
		fed <- err
	}()
	const advice = "nats consumer rm test look"
	eventually(t, "the problem says what to do", func() bool { return strings.Contains(j.Stats().Problem, advice) })
	for said := ""; !strings.Contains(said, advice); said = <-log {
	}
	mustDo(t, admin.DeleteConsumer(t.Context(), "test", "look"))
	mustDo(t, <-fed)
	eventually(t, "the problem is over", func() bool { return j.Stats().Problem == "" })
}

// lines is where a logger writes that a test reads.
type lines chan<- string

// Write implements io.Writer.
func (l lines) Write(line []byte) (int, error) {
	select {
	case l <- string(line):
	default: // nobody reads any more
	}
	return len(line), nil
}

// depose has another receiver take over the only sink that is fed, and be gone.
func depose(t *testing.T, c *nats.Cluster) {
	t.Helper()
	admin, end := dial(t, c.URLs()[0])
	defer end()
	stream, err := admin.Stream(t.Context(), "test")
	mustDo(t, err)
	eventually(t, "another has the sink", func() bool {
		for name := range stream.ConsumerNames(t.Context()).Name() {
			_ = stream.DeleteConsumer(t.Context(), name) // unless the receiver replaces it just now
			parts := strings.Split(name, "=")
			_, err := stream.CreateConsumer(t.Context(), natsjs.ConsumerConfig{
				Durable: strings.Join([]string{parts[0], "other", "other", parts[3]}, "="), AckPolicy: natsjs.AckExplicitPolicy, FilterSubject: "test.sink.*",
			})
			return err == nil // the receiver may have been faster
		}
		return false
	})
}

// TestALateSettlementEndsNoOtherLease settles what a receiver had leased before it lost the sink, when it has the sink again.
func TestALateSettlementEndsNoOtherLease(t *testing.T) {
	t.Parallel()
	c := startServers(t, nats.Options{Servers: 1})
	one := open(t, options(c))
	_, err := one.Append(t.Context(), batch(entry("1", sinkA)))
	mustDo(t, err)
	late := fetchAll(t, one, 1)
	depose(t, c)
	again := fetchAll(t, one, 1)

	settle := func(s journal.Settlement) { mustDo(t, one.Queue(sinkA).Settle(t.Context(), []journal.Settlement{s})) }
	settle(journal.Settlement{Deliveries: late, Outcome: journal.Retry, At: time.Now()})
	settle(journal.Settlement{Deliveries: late, Outcome: journal.Dead, DeadLetter: &journal.DeadLetter{Cause: journal.CauseRefused, At: time.Now()}})
	if letters, err := one.DeadLetters().List(t.Context(), 0, 1); err != nil || len(letters) != 0 {
		t.Errorf("dead letters of a late settlement: %v, %v", letters, err)
	}
	settle(journal.Settlement{Deliveries: again, Outcome: journal.Defer, At: time.Now()})
	if got := fetchAll(t, one, 1); got[0].Attempts != 0 {
		t.Errorf("a late settlement ended the present lease: %d attempts", got[0].Attempts)
	}
}

// TestOneNameTwice opens two receivers with one name, as those of two Kubernetes clusters may have. The other takes no sink as long
// as the first answers, and takes it at once when it does not.
func TestOneNameTwice(t *testing.T) {
	t.Parallel()
	c := startServers(t, nats.Options{Servers: 1})
	one := open(t, options(c))
	appendNumbered(t, one, 0, 1)
	fetchAll(t, one, 1)
	other := open(t, options(c))
	wantNobodyFed(t, other)
	one.Abandon()
	wantNext(t, other, "0", 0)
}

package deliver

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/metrics"
	"github.com/mailvane/mailvane/receiver/sink"
)

// linkFunc is the end of a chain.
type linkFunc func(ctx context.Context, batch sink.Batch) error

func (f linkFunc) Send(ctx context.Context, batch sink.Batch) error { return f(ctx, batch) }

func TestRateLinkKeepsThePace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		started := time.Now()
		l := newRateLink(10, 5, linkFunc(func(context.Context, sink.Batch) error {
			at = append(at, time.Since(started))
			return nil
		}))
		for range 4 {
			if err := l.Send(t.Context(), sink.Batch{Messages: make([]sink.Message, 5)}); err != nil {
				t.Fatal(err)
			}
		}
		// Ten are let through at once, five more each half second.
		if diff := cmp.Diff([]time.Duration{0, 0, 500 * time.Millisecond, time.Second}, at); diff != "" {
			t.Error(diff)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if err := l.Send(ctx, sink.Batch{Messages: make([]sink.Message, 5)}); err == nil || len(at) != 4 {
			t.Errorf("what has no time left is sent: %v", err)
		}
	})
}

func TestTimeoutLinkEndsAnAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		started := time.Now()
		l := &timeoutLink{timeout: 3 * time.Second, next: linkFunc(func(ctx context.Context, _ sink.Batch) error {
			<-ctx.Done()
			return ctx.Err()
		})}
		if err := l.Send(t.Context(), sink.Batch{}); !errors.Is(err, context.DeadlineExceeded) || time.Since(started) != 3*time.Second {
			t.Errorf("%v after %v", err, time.Since(started))
		}
	})
}

func TestObserveLinkCountsOutcomes(t *testing.T) {
	t.Parallel()
	failed := errors.New("answered 500")
	for outcome, err := range map[string]error{
		"delivered": nil,
		"transient": failed,
		"permanent": sink.Permanent(failed),
		"throttled": sink.Throttled(failed, time.Second),
		"partial":   sink.Partial(map[int]error{1: sink.Permanent(failed)}),
	} {
		registry := prometheus.NewRegistry()
		l := &observeLink{metrics: metrics.New(registry).Sink("mail/crm"), next: linkFunc(func(context.Context, sink.Batch) error { return err })}
		if got := l.Send(t.Context(), sink.Batch{Messages: make([]sink.Message, 2)}); !errors.Is(got, err) {
			t.Errorf("%s: %v became %v", outcome, err, got)
		}
		if counted := outcomes(t, registry); !slices.Equal(counted, []string{outcome}) {
			t.Errorf("%s is counted as %v", outcome, counted)
		}
	}
}

// outcomes returns the outcomes of attempts that were counted.
func outcomes(t *testing.T, registry *prometheus.Registry) (counted []string) {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, label := range m.GetLabel() {
				if f.GetName() == "mailvane_delivery_attempts_total" && label.GetName() == "outcome" {
					counted = append(counted, label.GetValue())
				}
			}
		}
	}
	return counted
}

// TestTheRateIsKeptBeforeTheTimeRuns has a sink that is sent little: what waits for its turn has all its time when it is its turn.
func TestTheRateIsKeptBeforeTheTimeRuns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var left []time.Duration
		o := &Options{Sink: closer{linkFunc(func(ctx context.Context, _ sink.Batch) error {
			deadline, _ := ctx.Deadline()
			left = append(left, time.Until(deadline))
			return nil
		})}, Metrics: metrics.New(prometheus.NewRegistry()).Sink("mail/crm")}
		chain := newChain(o, &policy{timeout: 2 * time.Second, rate: 1, batchEvents: 1})
		for range 4 {
			if err := chain.Send(t.Context(), sink.Batch{Messages: make([]sink.Message, 1)}); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff([]time.Duration{2 * time.Second, 2 * time.Second, 2 * time.Second, 2 * time.Second}, left); diff != "" {
			t.Error(diff)
		}
	})
}

type closer struct{ linkFunc }

func (closer) Close() error { return nil }

// reader is a sink that reads attributes or not.
type reader struct {
	closer
	reads bool
}

func (r reader) ReadsAttributes() bool { return r.reads }

func TestBatchesSayWhatSinksAskFor(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var chunk []journal.Delivery
	for _, id := range []string{"a1", "b2", "c3"} {
		payload, err := event.Encode(&event.Event{ID: id, Type: event.Sent, Provider: "Test", Time: at, Recipient: id + "@example.com"}, "/mailvane/mail/in")
		if err != nil {
			t.Fatal(err)
		}
		chunk = append(chunk, journal.Delivery{Payload: payload, OrderingKey: "key-" + id})
	}
	want := func(all bool) (list []sink.Message) {
		for i, id := range []string{"a1", "b2", "c3"} {
			m := sink.Message{ID: id, Key: "key-" + id, Envelope: chunk[i].Payload}
			if all {
				m.Source, m.Type, m.Subject, m.Provider, m.Time = "/mailvane/mail/in", "dev.mailvane.email.sent.v1", id+"@example.com", "test", at
			}
			list = append(list, m)
		}
		return list
	}
	for name, tc := range map[string]struct {
		sink sink.Sink
		all  bool
	}{
		"a sink that says nothing":        {closer{}, false},
		"a sink that reads none":          {reader{}, false},
		"a sink that reads what they say": {reader{reads: true}, true},
	} {
		got, err := newDescriber(tc.sink).batch(chunk)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want(tc.all), got.Messages); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
		if _, err := newDescriber(tc.sink).batch([]journal.Delivery{chunk[0], {Payload: []byte(`{"id":`)}}); !sink.IsPermanent(err) {
			t.Errorf("%s: what is no event: %v", name, err)
		}
	}
}

// TestABatchIsKnownAgain compares the identities of batches.
func TestABatchIsKnownAgain(t *testing.T) {
	t.Parallel()
	of := func(ids ...string) string {
		var messages []sink.Message
		for _, id := range ids {
			messages = append(messages, sink.Message{ID: id})
		}
		return sink.NewBatch(messages).ID
	}
	if first, again := of("a", "b", "c"), of("a", "b", "c"); first != again {
		t.Error("the same messages are another batch the next time")
	}
	seen := map[string]bool{}
	for _, ids := range [][]string{{"a", "b", "c"}, {"a", "b"}, {"c"}, {"a"}, {"ab", "c"}, {"a", "bc"}, {"b", "a"}} {
		id := of(ids...)
		if seen[id] {
			t.Errorf("%v has the identity of others", ids)
		}
		seen[id] = true
	}
}

package intake_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/endpoint"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/metrics"
)

func (f *front) requeue(table *endpoint.Table) error {
	f.t.Helper()
	letter := f.deadLetters()[0]
	batch, err := table.Requeue(&letter, time.Now())
	if err != nil {
		return err
	}
	_, err = f.journal.Append(context.Background(), batch)
	return err
}

func TestRequeueEvaluatesTheMendedFilter(t *testing.T) {
	t.Parallel()
	routed := func(filter string) config.Endpoint {
		return emailEngine(func(e *config.Endpoint) {
			e.Routes = []config.Route{{Name: "bug", Sink: "crm", Filter: filter}}
		})
	}
	f := newFront(t, routed(`{"a": 1}[event.id] == 1`))
	f.do(sample(t, "EmailEngine", "messageSent", path))
	if err := f.requeue(f.table); err == nil || !strings.Contains(err.Error(), "route bug fails again") {
		t.Fatalf("with the same filter: %v", err)
	}
	if len(f.deadLetters()) != 1 {
		t.Fatal("a dead letter that failed again is gone")
	}
	mended := compile(t, metrics.New(prometheus.NewRegistry()), routed(`event.type == "email.sent"`))
	if err := f.requeue(mended); err != nil {
		t.Fatal(err)
	}
	if len(f.deadLetters()) != 0 || len(f.owed("crm")) != 1 {
		t.Errorf("%d dead letters, %d owed", len(f.deadLetters()), f.journal.Stats().Pending["mail/crm"])
	}
}

func TestRequeueKeepsWhatStillCannotBeDecoded(t *testing.T) {
	t.Parallel()
	f := newFront(t, emailEngine(nil))
	f.do(signed(t, path, `{"event":`))
	if err := f.requeue(f.table); err == nil || len(f.deadLetters()) != 1 {
		t.Errorf("error %v, %d dead letters", err, len(f.deadLetters()))
	}
	gone := compile(t, metrics.New(prometheus.NewRegistry()))
	if err := f.requeue(gone); !errors.Is(err, endpoint.ErrNoEndpoint) {
		t.Errorf("without its endpoint: %v", err)
	}
}

func TestRequeueDecodesAgain(t *testing.T) {
	t.Parallel()
	f := newFront(t, emailEngine(func(e *config.Endpoint) { e.Routes[0].Filter = "event.unverified" }))
	// As a body stands in the dead letters that an earlier release could not read.
	_, err := f.journal.Append(context.Background(), journal.Batch{DeadLetters: []journal.DeadLetter{{
		Cause: journal.CauseUndecodable, Reason: "x", Endpoint: "mail/ee", At: time.Now(), Payload: []byte(trackOpen), Unverified: true,
		Header: map[string]string{"X-EE-Wh-Event-Id": "11111111-2222-3333-4444-555555555555"},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.requeue(f.table); err != nil {
		t.Fatal(err)
	}
	owed := f.owed("crm")
	if len(owed) != 1 || !owed[0].Unverified || owed[0].ProviderEventID != "11111111-2222-3333-4444-555555555555" || len(f.deadLetters()) != 0 {
		t.Errorf("owed %+v, %d dead letters", owed, len(f.deadLetters()))
	}
}

// TestRequeueTellsOfWhatIsNotForTheEndpoint retries dead letters whose items belong to a customer that the endpoint does not, or no
// longer, take events of. What holds nothing else stays; what stands beside events is counted, as in a request.
func TestRequeueTellsOfWhatIsNotForTheEndpoint(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		payload       string
		fails         bool
		letters, owed int
		refused       int
	}{
		"an item of its own":       {item("abc123", 1), false, 0, 1, 0},
		"an item of another":       {item("other", 1), true, 1, 0, 0},
		"an array of another":      {"[" + item("other", 1) + "," + item("other", 2) + "]", true, 1, 0, 0},
		"another beside its own":   {"[" + item("other", 1) + "," + item("abc123", 2) + "]", false, 0, 1, 1},
		"nothing, which is no one": {"[]", false, 0, 0, 0},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFront(t, mailChannels())
			_, err := f.journal.Append(t.Context(), journal.Batch{DeadLetters: []journal.DeadLetter{{
				Cause: journal.CauseUndecodable, Reason: "x", Endpoint: "mail/mc", At: time.Now(), Payload: []byte(tc.payload),
			}}})
			if err != nil {
				t.Fatal(err)
			}
			err = f.requeue(f.table)
			if (err != nil) != tc.fails || err != nil && !strings.Contains(err.Error(), "not meant for its endpoint") {
				t.Errorf("error %v", err)
			}
			if letters, owed := len(f.deadLetters()), f.journal.Stats().Pending["mail/crm"]; letters != tc.letters || owed != int64(tc.owed) {
				t.Errorf("%d dead letters, %d owed", letters, owed)
			}
			if got := f.events("mail/mc", metrics.EventRefused); got != tc.refused {
				t.Errorf("%d counted as refused", got)
			}
		})
	}
}

func TestRequeueRedeliversToTheSinkThatRefused(t *testing.T) {
	t.Parallel()
	f := newFront(t, emailEngine(nil))
	f.do(sample(t, "EmailEngine", "messageSent", path))
	queue := f.journal.Queue("mail/crm")
	leased, err := queue.Fetch(context.Background(), journal.Limit{Events: 1})
	if err != nil {
		t.Fatal(err)
	}
	dead := journal.Settlement{Deliveries: leased, Outcome: journal.Dead, DeadLetter: &journal.DeadLetter{Cause: journal.CauseRefused, Reason: "x", At: time.Now()}}
	if err := queue.Settle(context.Background(), []journal.Settlement{dead}); err != nil {
		t.Fatal(err)
	}
	if err := f.requeue(f.table); err != nil {
		t.Fatal(err)
	}
	if n := f.journal.Stats().Pending["mail/crm"]; n != 1 || len(f.deadLetters()) != 0 {
		t.Errorf("%d owed, %d dead letters", n, len(f.deadLetters()))
	}
}

// TestRequeueKeepsTheOrderingKey has an event whose partition key is not its message's.
func TestRequeueKeepsTheOrderingKey(t *testing.T) {
	t.Parallel()
	f := newFront(t, emailEngine(nil))
	payload, err := event.Encode(&event.Event{ID: "1", Type: event.Opened, MessageID: "m@example.com", PartitionKey: "R"}, event.Source("mail", "ee"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.journal.Append(t.Context(), journal.Batch{DeadLetters: []journal.DeadLetter{{
		Cause: journal.CauseFilterFailed, Reason: "x", Endpoint: "mail/ee", Route: "all", Sink: "mail/crm", At: time.Now(), Payload: payload,
	}}}); err != nil {
		t.Fatal(err)
	}
	if err := f.requeue(f.table); err != nil {
		t.Fatal(err)
	}
	deliveries, err := f.journal.Queue("mail/crm").Fetch(t.Context(), journal.Limit{Events: 1})
	if err != nil {
		t.Fatal(err)
	}
	if deliveries[0].OrderingKey != "R" {
		t.Errorf("ordering key %q", deliveries[0].OrderingKey)
	}
}

package eventbridgesink

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/content"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/sinktest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	sinktest.Run(t, func(t *testing.T) sinktest.Harness { return newBus(t).harness(t) })
}

func (q *bus) open(t *testing.T, more string) sink.Sink {
	t.Helper()
	s, err := newSink([]byte(q.settings(more)), sink.Environment{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() }) //nolint:errcheck // it returns nil
	return s
}

// TestAnEntry looks at what rules see.
func TestAnEntry(t *testing.T) {
	t.Parallel()
	q := newBus(t)
	for _, more := range []string{"", `,"source":"acme/mail"`} {
		if err := q.open(t, more).Send(t.Context(), sinktest.Batch(0, 1)); err != nil {
			t.Fatal(err)
		}
	}
	want := entry{
		EventBusName: "arn:aws:events:eu-west-1:123456789012:event-bus/mail", Source: "mailvane", DetailType: "email.sent",
		Detail: string(sinktest.Message(0).Envelope), Time: float64(sinktest.Message(0).Time.Unix()),
	}
	other := want
	other.Source = "acme/mail"
	if diff := cmp.Diff([]entry{want, other}, q.taken()); diff != "" {
		t.Error(diff)
	}
}

// TestEntriesAreTakenApart has each entry of a request end in another way.
func TestEntriesAreTakenApart(t *testing.T) {
	t.Parallel()
	q := newBus(t)
	says := map[int]string{
		1: "MalformedDetail", 2: "ThrottlingException", 3: "AccessDeniedException", 4: "InternalFailure", 5: "nothing", 6: "ResourceNotFoundException",
	}
	q.set(func() { q.each = func(n int) string { return says[n] } })
	failed := sink.FailedOf(q.open(t, "").Send(t.Context(), sinktest.Batch(0, 9)), 9)
	type class struct {
		permanent, throttled bool
		cause                sink.Cause
	}
	got := map[int]class{}
	for i, err := range failed {
		got[i] = class{sink.IsPermanent(err), sink.RetryAfter(err) >= time.Second, sink.CauseOf(err)}
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%d: %v", i, err)
		}
	}
	want := map[int]class{
		1: {true, false, sink.DeliveryFailing}, 2: {false, true, sink.DeliveryFailing}, 3: {false, false, sink.CredentialRefused},
		4: {false, false, sink.DeliveryFailing}, 5: {false, false, sink.DeliveryFailing}, 6: {false, false, sink.DestinationNotFound},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(class{})); diff != "" {
		t.Error(diff)
	}
	if got := len(q.taken()); got != 3 {
		t.Errorf("%d arrive, want 3", got)
	}
}

// TestRequestsAreNoLargerThanTheyMay has events of which ten are too much for one request.
func TestRequestsAreNoLargerThanTheyMay(t *testing.T) {
	t.Parallel()
	q := newBus(t)
	q.set(func() { q.bound = 256 << 10 })
	messages := sinktest.Messages(0, 10)
	for i := range messages {
		large := strings.Replace(string(messages[i].Envelope), `"big":`, `"text":"`+strings.Repeat("x", 60<<10)+`","big":`, 1)
		messages[i].Envelope = []byte(large)
	}
	if err := q.open(t, "").Send(t.Context(), sink.NewBatch(messages)); err != nil || q.requests != 3 {
		t.Errorf("%d requests, %v", q.requests, err)
	}
}

// TestProbes has a bus that is not there, a key that is wrong, and somebody who may put events alone.
func TestProbes(t *testing.T) {
	t.Parallel()
	q := newBus(t)
	probe := func(settings string) error {
		s, err := newSink([]byte(settings), sink.Environment{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close() //nolint:errcheck // it returns nil
		return s.(*bridgeSink).Probe(t.Context())
	}
	for change, want := range map[[2]string]sink.Cause{
		{"event-bus/mail", "event-bus/elsewhere"}: sink.DestinationNotFound,
		{"AKIAEXAMPLE", "AKIANOBODY"}:             sink.CredentialRefused,
		{q.URL, "http://127.0.0.1:1"}:             sink.DestinationUnreachable,
	} {
		if err := probe(strings.ReplaceAll(q.settings(""), change[0], change[1])); sink.CauseOf(err) != want {
			t.Errorf("%s: %v, want %s", change[1], err, want)
		}
	}
	q.refusing(400, "AccessDeniedException")(t)
	if err := probe(q.settings("")); err != nil {
		t.Errorf("who may put events alone: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := q.open(t, "").(sink.Prober).Probe(ctx); err == nil {
		t.Error("a probe that is cancelled tells nothing")
	}
}

// TestContent has a bus that may not have recipients.
func TestContent(t *testing.T) {
	t.Parallel()
	c, err := content.New(&config.Content{Raw: config.ContentDrop, Fields: []config.ContentField{{Name: "recipient", As: config.ContentDrop}}})
	if err != nil {
		t.Fatal(err)
	}
	e := event.Event{ID: "1", Type: event.Sent, Provider: "Test", Recipient: "to@example.com", Raw: []byte(`{"to":"to@example.com"}`)}
	structured, err := event.Encode(&e, event.Source("mail", "in"))
	if err != nil {
		t.Fatal(err)
	}
	envelope, err := c.Apply(structured)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := envelope.Encode()
	if err != nil {
		t.Fatal(err)
	}
	q := newBus(t)
	message := sink.Message{ID: "1", Source: envelope.Source, Type: envelope.Type, Provider: envelope.Provider, Key: envelope.PartitionKey, Envelope: encoded}
	if err := q.open(t, "").Send(t.Context(), sink.NewBatch([]sink.Message{message})); err != nil {
		t.Fatal(err)
	}
	if m := q.taken()[0]; strings.Contains(m.Detail, "to@example.com") {
		t.Errorf("%+v", m)
	}
}

package snssink

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
	for name, isFIFO := range map[string]bool{"standard": false, "FIFO": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sinktest.Run(t, func(t *testing.T) sinktest.Harness { return newTopic(t, isFIFO).harness(t) })
		})
	}
}

func (q *topic) open(t *testing.T, more string) sink.Sink {
	t.Helper()
	s, err := newSink([]byte(q.settings(more)), sink.Environment{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() }) //nolint:errcheck // it returns nil
	return s
}

// TestAMessage looks at what a consumer gets.
func TestAMessage(t *testing.T) {
	t.Parallel()
	for _, isFIFO := range []bool{false, true} {
		q := newTopic(t, isFIFO)
		if err := q.open(t, "").Send(t.Context(), sinktest.Batch(0, 1)); err != nil {
			t.Fatal(err)
		}
		want := entry{ID: "0", Message: string(sinktest.Message(0).Envelope), Attributes: map[string]string{
			"contentType": "String:application/cloudevents+json", "type": "String:email.sent", "provider": "String:test", "endpoint": "String:mail/in",
		}}
		if isFIFO {
			want.Group, want.Deduplication = "key-0", sinktest.ID(0)
		}
		if diff := cmp.Diff([]entry{want}, q.taken()); diff != "" {
			t.Errorf("FIFO %v: %s", isFIFO, diff)
		}
	}
}

// TestExactlyOnce sends again to a FIFO topic what it has.
func TestExactlyOnce(t *testing.T) {
	t.Parallel()
	q := newTopic(t, true)
	s := q.open(t, "")
	for range 3 {
		if err := s.Send(t.Context(), sinktest.Batch(0, 25)); err != nil {
			t.Fatal(err)
		}
	}
	if got := len(q.taken()); got != 25 || q.requests != 9 {
		t.Errorf("%d messages in %d requests", got, q.requests)
	}
}

// TestEntriesAreTakenApart has each entry of a request end in another way.
func TestEntriesAreTakenApart(t *testing.T) {
	t.Parallel()
	q := newTopic(t, false)
	says := map[string]string{
		"1": "BatchRequestTooLong", "2": "Throttled", "3": "KMSAccessDenied", "4": "InternalError", "5": "nothing", "6": "NotFound",
	}
	q.set(func() { q.each = func(e *entry) string { return says[e.ID] } })
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
	q := newTopic(t, false)
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

// TestProbes has a topic that is not there, a key that is wrong, and somebody who may publish alone.
func TestProbes(t *testing.T) {
	t.Parallel()
	q := newTopic(t, false)
	probe := func(settings string) error {
		s, err := newSink([]byte(settings), sink.Environment{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close() //nolint:errcheck // it returns nil
		return s.(*snsSink).Probe(t.Context())
	}
	for change, want := range map[[2]string]sink.Cause{
		{"123456789012:mail", "123456789012:elsewhere"}: sink.DestinationNotFound,
		{"AKIAEXAMPLE", "AKIANOBODY"}:                   sink.CredentialRefused,
		{q.URL, "http://127.0.0.1:1"}:                   sink.DestinationUnreachable,
	} {
		if err := probe(strings.ReplaceAll(q.settings(""), change[0], change[1])); sink.CauseOf(err) != want {
			t.Errorf("%s: %v, want %s", change[1], err, want)
		}
	}
	q.refusing(403, "AuthorizationError")(t)
	if err := probe(q.settings("")); err != nil {
		t.Errorf("who may publish alone: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := q.open(t, "").(sink.Prober).Probe(ctx); err == nil {
		t.Error("a probe that is cancelled tells nothing")
	}
}

// TestContent has a topic that may not have recipients.
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
	q := newTopic(t, true)
	message := sink.Message{ID: "1", Source: envelope.Source, Type: envelope.Type, Provider: envelope.Provider, Key: envelope.PartitionKey, Envelope: encoded}
	if err := q.open(t, "").Send(t.Context(), sink.NewBatch([]sink.Message{message})); err != nil {
		t.Fatal(err)
	}
	if m := q.taken()[0]; strings.Contains(m.Message+m.Group, "to@example.com") || m.Group != "1" {
		t.Errorf("%+v", m)
	}
}

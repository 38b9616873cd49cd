package suppressionsink

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/sinktest"
	"github.com/mailvane/mailvane/receiver/suppression"
	"github.com/mailvane/mailvane/receiver/suppression/suppressiontest"
)

func now() time.Time { return time.Date(2026, time.January, 20, 0, 0, 0, 0, time.UTC) }

func message(t *testing.T, e *event.Event) sink.Message {
	t.Helper()
	encoded, err := event.Encode(e, event.Source("mail", "in"))
	if err != nil {
		t.Fatal(err)
	}
	return sink.Message{ID: e.ID, Envelope: encoded}
}

func at(minute int) time.Time { return time.Date(2026, time.January, 2, 3, minute, 0, 0, time.UTC) }

// TestAStory follows two people over providers: what the list says in the end does not depend on when it heard of what.
func TestAStory(t *testing.T) {
	t.Parallel()
	story := []event.Event{
		{ID: "1", Type: event.Delivered, Provider: "SendGrid", Recipient: "ada@example.com", Time: at(1)},
		{ID: "2", Type: event.Unsubscribed, Provider: "Postmark", Recipient: "Ada@example.com", Time: at(2), Details: map[string]string{"MessageStream": "news"}},
		{ID: "3", Type: event.Resubscribed, Provider: "Postmark", Recipient: "ada@example.com", Time: at(3), Details: map[string]string{"MessageStream": "news"}},
		{ID: "4", Type: event.Bounced, Provider: "SendGrid", Recipient: "bob@example.com", Time: at(4), Bounce: event.Bounce{Type: event.Soft}},
		{ID: "5", Type: event.Complained, Provider: "AmazonSES", Recipient: "bob@example.com", Time: at(5)},
		{ID: "6", Type: event.Uncomplained, Provider: "AmazonSES", Recipient: "bob@example.com", Time: at(6)},
		{ID: "7", Type: event.Resubscribed, Provider: "SendGrid", Recipient: "bob@example.com", Time: at(7)},
		{ID: "8", Type: event.Delivered, Provider: "SendGrid", Recipient: "bob@example.com", Time: at(8)},
		{ID: "9", Type: event.Complained, Provider: "AmazonSES", Recipient: "eve@example.com", Unverified: true, Time: at(9)},
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		store := suppressiontest.NewMemory()
		s := &suppressionSink{store: store, now: now}
		var messages []sink.Message
		for i := range story {
			messages = append(messages, message(t, &story[i]), message(t, &story[i]))
		}
		random.Shuffle(len(messages), func(i, j int) { messages[i], messages[j] = messages[j], messages[i] })
		half := random.IntN(len(messages))
		for _, part := range [][]sink.Message{messages[:half], messages[half:]} {
			if err := s.Send(t.Context(), sink.NewBatch(part)); err != nil {
				t.Fatal(err)
			}
		}
		for address, want := range map[string]string{"ada@example.com": "", "bob@example.com": "complaint 1 AmazonSES /mailvane/mail/in", "eve@example.com": ""} {
			rows, err := store.Find(t.Context(), address)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, r := range suppression.InForce(rows, "postmark:news") {
				got += fmt.Sprintf("%s %d %s %s", r.Class, r.Count, r.Last.Provider, r.Last.Source)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: %s", address, diff)
			}
		}
	}
}

// TestWhatIsNoEvent is refused for good, alone.
func TestWhatIsNoEvent(t *testing.T) {
	t.Parallel()
	store := suppressiontest.NewMemory()
	s := &suppressionSink{store: store, now: now}
	complaint := message(t, &event.Event{ID: "1", Type: event.Complained, Recipient: "a@example.com", Time: at(1)})
	failed := sink.FailedOf(s.Send(t.Context(), sink.NewBatch([]sink.Message{{Envelope: []byte("rubbish")}, complaint, {Envelope: []byte(`{"data":[]}`)}})), 3)
	if len(failed) != 2 || !sink.IsPermanent(failed[0]) || !sink.IsPermanent(failed[2]) {
		t.Errorf("%v", failed)
	}
	if rows, err := store.Find(t.Context(), "a@example.com"); err != nil || len(rows) != 1 {
		t.Errorf("%v %v", rows, err)
	}
}

// broken is a store that is away.
type broken struct{ suppressiontest.Memory }

var errAway = errors.New("away")

func (*broken) Apply(context.Context, []suppression.Change) error { return sink.Unreachable(errAway) }

// TestAStoreThatIsAway is asked by what changes something alone, and its error is that of the send.
func TestAStoreThatIsAway(t *testing.T) {
	t.Parallel()
	s := &suppressionSink{store: &broken{}, now: now}
	if err := s.Send(t.Context(), sinktest.Batch(0, 5)); err != nil {
		t.Errorf("events that change nothing: %v", err)
	}
	complaint := message(t, &event.Event{ID: "1", Type: event.Complained, Recipient: "a@example.com", Time: at(1)})
	if err := s.Send(t.Context(), sink.NewBatch([]sink.Message{complaint})); !sink.IsUnreachable(err) {
		t.Errorf("%v", err)
	}
}

// TestSettings opens either store, and neither.
func TestSettings(t *testing.T) {
	t.Parallel()
	for settings, good := range map[string]bool{
		`{"redis":{"addresses":["127.0.0.1:1"],"tlsMode":"Disable"}}`:                                          true,
		`{"postgreSQL":{"hosts":["127.0.0.1:1"],"database":"mail","username":"mailvane","tlsMode":"Disable"}}`: true,
		`{}`: false,
		`{"redis":{"addresses":["127.0.0.1:1"]},"postgreSQL":{"hosts":["a"],"database":"mail","username":"mail"}}`: false,
	} {
		s, err := Kind().New([]byte(settings), sink.Environment{})
		if (err == nil) != good {
			t.Errorf("%s: %v", settings, err)
			continue
		}
		if !good {
			continue
		}
		if err := s.(sink.Prober).Probe(t.Context()); !sink.IsUnreachable(err) {
			t.Errorf("%s: a probe says %v", settings, err)
		}
		for range 2 {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

package deliver_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/content"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/sink"
)

// reader is a sink that reads attributes and keeps copies of what it gets.
type reader struct {
	got    []sink.Message
	answer error
}

func (r *reader) Send(_ context.Context, batch sink.Batch) error {
	for _, m := range batch.Messages {
		m.Envelope = []byte(strings.Clone(string(m.Envelope)))
		r.got = append(r.got, m)
	}
	return r.answer
}

func (*reader) ReadsAttributes() bool { return true }

func (*reader) Close() error { return nil }

// TestASinkGetsWhatItMayHave sends an event whose recipient the sink may not have, which it refuses.
func TestASinkGetsWhatItMayHave(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		e := &event.Event{ID: "a1", Type: event.Bounced, Provider: "Test", Time: time.Now(), Recipient: "to@example.com", Raw: []byte(`{"to":"to@example.com"}`)}
		payload, err := event.Encode(e, event.Source("mail", "endpoint"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.journal.Append(context.Background(), journal.Batch{Entries: []journal.Entry{{
			OrderingKey: e.Key(), Sinks: []string{sinkName}, AcceptedAt: time.Now(), Payload: payload,
		}}}); err != nil {
			t.Fatal(err)
		}
		shape, err := content.New(&config.Content{Raw: config.ContentDrop, Fields: []config.ContentField{{Name: "recipient", As: config.ContentMask}}})
		if err != nil {
			t.Fatal(err)
		}
		s := &reader{answer: sink.Permanent(errors.New("answered 410"))}
		b.use, b.content = s, shape
		b.start(defaults(), "")
		b.wait(time.Minute)
		if len(s.got) != 1 {
			t.Fatalf("got %d messages", len(s.got))
		}
		got := s.got[0]
		if strings.Contains(string(got.Envelope), "to@") {
			t.Errorf("sent: %s", got.Envelope)
		}
		got.Envelope = nil
		want := sink.Message{
			ID: "a1", Source: "/mailvane/mail/endpoint", Type: "dev.mailvane.email.bounced.v1", Subject: "***@example.com",
			Provider: "test", Time: e.Time.UTC(), Key: "***@example.com",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		letters := b.deadLetters()
		if len(letters) != 1 {
			t.Fatalf("dead letters: %+v", letters)
		}
		letter, err := b.journal.DeadLetters().Get(context.Background(), letters[0].ID)
		if err != nil || string(letter.Payload) != string(payload) {
			t.Errorf("the dead letter holds %s, %v; want all of the event", letter.Payload, err)
		}
	})
}

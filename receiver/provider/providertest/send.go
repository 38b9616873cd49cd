package providertest

import (
	"testing"
	"time"

	"github.com/mailvane/mailvane/receiver/provider"
)

// send tests what the command line uses: signing a sample that was freshened.
func (s Suite) send(t *testing.T, sample sample) {
	t.Helper()
	w := s.webhook(t, s.Settings)
	before := w.Decode(sample.request)
	known := ids(before)
	for _, unique := range []string{"unique-1", "unique-2"} {
		r := clone(sample.request)
		r.ReceivedAt = r.ReceivedAt.Add(time.Minute)
		s.vendor(t).Freshen(r, unique)
		if err := s.vendor(t).Sign([]byte(s.Settings), s.SigningKey, r); err != nil {
			t.Fatalf("Sign: %v", err)
		}
		if _, err := w.Verify(t.Context(), r); err != nil {
			t.Errorf("a signed request is refused: %v", err)
		}
		after := w.Decode(r)
		checkFresh(t, r.ReceivedAt, before, after)
		for id := range ids(after) {
			if known[id] {
				t.Errorf("freshened: id %s is not new", id)
			}
			known[id] = true
		}
	}
}

// checkFresh tests that the events are the same but for what makes them new, and happen now.
func checkFresh(t *testing.T, now time.Time, before, after provider.Batch) {
	t.Helper()
	if len(after.Events) != len(before.Events) || len(after.Undecodable) != len(before.Undecodable) {
		t.Fatalf("freshened: %d events, %d undecodable; before: %d and %d",
			len(after.Events), len(after.Undecodable), len(before.Events), len(before.Undecodable))
	}
	for i, e := range after.Events {
		was := before.Events[i]
		if e.Type != was.Type || e.Recipient != was.Recipient {
			t.Errorf("freshened: %s to %q, before %s to %q", e.Type, e.Recipient, was.Type, was.Recipient)
		}
		untimed := was.TimeRaw == "" && e.TimeRaw == "" // the provider tells no time of such an event
		if off := now.Sub(e.Time).Abs(); off > time.Second || e.TimeImplausible && !untimed {
			t.Errorf("freshened: time %v, want %v", e.Time, now)
		}
	}
}

// ids returns the ids of a batch.
func ids(b provider.Batch) map[string]bool {
	set := map[string]bool{}
	for _, e := range b.Events {
		set[e.ID] = true
	}
	return set
}

package intake_test

import (
	"strings"
	"testing"
	"time"

	"github.com/mailvane/mailvane/receiver/intake"
)

// TestEventsWithEqualBodies has a map function that leaves nothing but the account: the event ids alone tell the events apart.
func TestEventsWithEqualBodies(t *testing.T) {
	t.Parallel()
	f := newFront(t, emailEngine(nil))
	for _, attempt := range []struct {
		id       string
		accepted int
	}{{"e-1", 1}, {"e-2", 1}, {"e-1", 0}, {"e-3", 1}} {
		r := signed(t, path, `{"account":"a","event":"messageSent"}`)
		r.Header.Set("X-EE-Wh-Event-Id", attempt.id)
		r.Header.Set("X-EE-Wh-Custom-Route", "r-1")
		if a := f.do(r); a.status != 200 || a.Accepted != attempt.accepted {
			t.Errorf("%s: %d %s, want %d accepted", attempt.id, a.status, a.body, attempt.accepted)
		}
	}
	if owed := f.owed("crm"); len(owed) != 3 {
		t.Errorf("the sink is owed %d events, want 3", len(owed))
	}
}

// TestAnEventIDThatIsTaken has somebody who holds an old request and knows the id of an event to come. The id is in no signature.
func TestAnEventIDThatIsTaken(t *testing.T) {
	t.Parallel()
	f := newFront(t, emailEngine(nil))
	post := func(id, body string) answer {
		r := signed(t, path, body)
		r.Header.Set("X-EE-Wh-Event-Id", id)
		return f.do(r)
	}
	old := strings.Replace(trackOpen, `"date":"20`, `"date":"19`, 1)
	if a := post("genuine", old); old == trackOpen || a.status != 200 || a.Accepted != 1 {
		t.Fatalf("the old request: %d %s", a.status, a.body)
	}
	if a := post("genuine", trackOpen); a.status != 200 || a.Accepted != 1 {
		t.Errorf("the genuine event: %d %s, want it to be taken", a.status, a.body)
	}
	for _, id := range []string{"x", "y", "z"} {
		if a := post(id, old); a.status != 200 || a.Duplicates != 1 {
			t.Errorf("the old request again as %s: %d %s, want a duplicate", id, a.status, a.body)
		}
	}
}

// TestWhatArrivesLateIsMarked: a filter can tell an old request that is sent again, where no time is signed.
func TestWhatArrivesLateIsMarked(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before time.Duration
		late   bool
	}{
		"now":                    {0, false},
		"a day ago":              {24 * time.Hour, false},
		"more than a day ago":    {24*time.Hour + time.Millisecond, true},
		"years ago":              {24 * time.Hour * 3000, true},
		"ahead of the receipt":   {-time.Hour, false},
		"far ahead, implausible": {-24 * time.Hour * 3000, false},
	} {
		now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		f := newFrontWith(t, intake.Options{Now: func() time.Time { return now }}, emailEngine(nil))
		date := now.Add(-c.before).Format("2006-01-02T15:04:05.000Z")
		f.do(signed(t, path, `{"account":"a","date":"`+date+`","event":"trackOpen","data":{"messageId":"<m@example.com>"}}`))
		if owed := f.owed("crm"); len(owed) != 1 || owed[0].Late != c.late {
			t.Errorf("%s: %+v", name, owed)
		}
	}
}

func TestARepeatUnderAnotherEventIDIsADuplicate(t *testing.T) {
	t.Parallel()
	// The header is not signed: whoever holds a signed body may change it.
	f := newFront(t, emailEngine(nil))
	f.do(sample(t, "EmailEngine", "messageBounce", path))
	r := sample(t, "EmailEngine", "messageBounce", path)
	r.Header.Set("X-EE-Wh-Event-Id", "11111111-2222-3333-4444-555555555555")
	if a := f.do(r); a.Duplicates != 1 || a.Accepted != 0 {
		t.Fatalf("%d %s", a.status, a.body)
	}
}

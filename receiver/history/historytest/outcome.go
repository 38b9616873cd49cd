package historytest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/history"
)

func (b *bench) state(n int) history.State {
	b.Helper()
	page := b.page(history.Query{ID: fmt.Sprintf("%032x", n)})
	if len(page.Events) != 1 {
		b.Fatalf("event %d was found %d times", n, len(page.Events))
	}
	return page.Events[0].State(nil)
}

func testStates(t *testing.T, b *bench) {
	two := func(n int) history.Event {
		e := Event(n, nil)
		e.Sinks = []string{"mail/crm", "mail/archive"}
		return e
	}
	unrouted, unknown := Event(1, nil), Event(2, nil)
	unrouted.Sinks, unknown.Sinks, unknown.SinksUnknown = nil, nil, true
	b.add(Event(0, nil), unrouted, unknown, two(3))
	for n, want := range []history.State{history.StateWaiting, history.StateUnrouted, history.StateWaiting, history.StateWaiting} {
		if got := b.state(n); got != want {
			t.Errorf("event %d is %s", n, got)
		}
	}
	for _, step := range []struct {
		reason string
		n      int
		a      history.Attempt
		want   history.State
	}{
		{"it is tried again", 0, attempt(0, 1, history.Failed, "503"), history.StateWaiting},
		{"a dead letter", 0, attempt(0, 2, history.Dead, "400"), history.StateDeadLetter},
		{"a person retried it", 0, attempt(0, 3, history.Retried, "operator"), history.StateWaiting},
		{"and the sink has it", 0, attempt(0, 4, history.Delivered, ""), history.StateDelivered},
		{"one sink of two has it", 3, attempt(3, 1, history.Delivered, ""), history.StateWaiting},
		{"nobody knows who is owed it", 2, attempt(2, 1, history.Delivered, ""), history.StateDelivered},
		{"a person routed it", 1, attempt(1, 9, history.Delivered, ""), history.StateDelivered},
	} {
		b.append(history.Batch{Attempts: []history.Attempt{step.a}})
		if got := b.state(step.n); got != step.want {
			t.Errorf("%s: %s, want %s", step.reason, got, step.want)
		}
	}
	other := attempt(3, 2, history.Dropped, "operator")
	other.Sink = "mail/archive"
	b.append(history.Batch{Attempts: []history.Attempt{other}})
	if got := b.state(3); got != history.StateDeadLetter {
		t.Errorf("dropped: %s", got)
	}
	gone := func(sink string, _ time.Time) bool { return sink == "mail/archive" }
	b.append(history.Batch{Attempts: []history.Attempt{attempt(0, 5, history.Retried, "operator")}})
	b.want("owed no more, and nobody knows why", history.Query{Owed: gone, States: []history.State{history.StateUnrecorded}}, "0")
	b.append(history.Batch{Attempts: []history.Attempt{attempt(0, 6, history.Delivered, "")}})
	b.want("by state", history.Query{States: []history.State{history.StateDelivered}}, "2", "1", "0")
	b.want("by two states", history.Query{States: []history.State{history.StateWaiting, history.StateDeadLetter}}, "3")
	b.want("by a sink that came later", history.Query{Sink: "mail/archive"}, "3")
}

func testOutage(t *testing.T, b *bench) {
	b.add(Event(0, nil))
	for seconds := 0; seconds < 3*24*3600; seconds += 150 {
		b.append(history.Batch{Attempts: []history.Attempt{attempt(0, seconds, history.Failed, "503")}})
	}
	b.append(history.Batch{Attempts: []history.Attempt{attempt(0, 3*24*3600, history.Dead, "too old")}})
	told := b.page(history.Query{}).Events[0].Told
	if len(told) < 5 || len(told) > 30 || told[len(told)-1].Outcome != history.Dead {
		t.Errorf("%d attempts are kept of an outage of three days", len(told))
	}
}

func testAnswer(t *testing.T, b *bench) {
	b.add(Event(0, nil))
	b.append(history.Batch{Attempts: []history.Attempt{attempt(0, 1, history.Failed, "400: \x1b[2J\n<b>"+strings.Repeat("\u20ac", 200))}})
	want := []history.Told{{
		Sink: "mail/crm", At: At().Add(time.Second), Took: 20 * time.Millisecond, Outcome: history.Failed, Answer: "400:  [2J <b>" + strings.Repeat("\u20ac", 62),
	}}
	if diff := cmp.Diff(want, b.page(history.Query{}).Events[0].Told); diff != "" {
		t.Error(diff)
	}
}

func testRefusals(t *testing.T, b *bench) {
	for n := range 5 {
		b.append(history.Batch{Refusals: []history.Refusal{{
			At: At().Add(time.Duration(n) * time.Second), Endpoint: "mail/ee", Reason: "signature", Address: "192.0.2.1", Headers: []string{"User-Agent"}, Size: int64(n), More: 3,
		}}})
	}
	refused, err := b.store.Refusals(b.Context(), 2)
	if err != nil || len(refused) != 2 || refused[0].Size != 4 || refused[1].Size != 3 || refused[0].Address != "192.0.2.1" || refused[0].More != 3 {
		t.Errorf("%+v %v", refused, err)
	}
}

func testErase(t *testing.T, b *bench) {
	b.fill(200)
	b.add(Event(200, func(e *event.Event) { e.Recipients = []string{"other@example.com", "R7@Example.COM"} }))
	b.append(history.Batch{Attempts: []history.Attempt{attempt(7, 1, history.Dead, "no such r7@example.com"), attempt(8, 1, history.Delivered, "")}})
	n, err := b.store.Erase(b.Context(), history.Erasure{Recipient: "r7@example.COM", By: "privacy"})
	if n != 2 || err != nil {
		t.Errorf("%d events were erased: %v", n, err)
	}
	for _, store := range []func() history.Store{func() history.Store { return b.store }, b.again} {
		b.store = store()
		b.want("by recipient", history.Query{Recipient: "r7@example.com"})
		b.want("by message", history.Query{Message: "p7"})
		b.want("by id", history.Query{ID: fmt.Sprintf("%032x", 7)})
		b.want("the other recipient of the same event", history.Query{Recipient: "other@example.com"})
		b.want("a neighbour", history.Query{Recipient: "r8@example.com", States: []history.State{history.StateDelivered}}, "8")
		if found := b.all(history.Query{}); len(found) != 199 {
			t.Errorf("%d events are left", len(found))
		}
	}
	b.add(Event(300, func(e *event.Event) { e.Recipient = "r7@example.com" }))
	b.want("what comes later", history.Query{Recipient: "r7@example.com"}, "12c")
	if n, err := b.store.Erase(b.Context(), history.Erasure{Recipient: "nobody@example.com", By: "privacy"}); n != 0 || err != nil {
		t.Errorf("of nobody: %d %v", n, err)
	}
}

func testEraseCount(t *testing.T, b *bench) {
	b.fill(3)
	n, err := b.store.Erase(b.Context(), history.Erasure{Recipient: "r1@example.com", CountAlone: true})
	if n != 1 || err != nil {
		t.Errorf("%d %v", n, err)
	}
	b.want("it stays", history.Query{Recipient: "r1@example.com"}, "1")
}

// Package historytest is the suite that every implementation of [history.Store] passes. Its subtests are named after what they promise.
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

// Opener opens a new store. again closes it and opens it anew, on what it has kept.
type Opener func(t *testing.T) (store history.Store, again func() history.Store)

// Run runs the suite.
func Run(t *testing.T, open Opener) {
	t.Helper()
	for name, test := range map[string]func(t *testing.T, b *bench){
		"an event is found by each of its names, and by none of another":     testLookups,
		"an event is found whatever its names are made of":                   testOddNames,
		"an event is found by every one of its recipients":                   testManyRecipients,
		"an event that comes twice is found once":                            testTwice,
		"the same id at two endpoints is two events":                         testSameID,
		"what was kept is there after a restart":                             testRestart,
		"pages follow each other, and new events do not move them":           testPages,
		"a query over everything ends, page by page":                         testEverything,
		"who follows sees what comes, once":                                  testFollow,
		"a cursor of another history is refused":                             testForeignCursor,
		"the state of an event is what became of it last":                    testStates,
		"an outage leaves few attempts":                                      testOutage,
		"an answer is cut and on one line":                                   testAnswer,
		"a refused request is found, and the latest first":                   testRefusals,
		"what is erased is found by nobody, and others are":                  testErase,
		"what is counted to be erased stays":                                 testEraseCount,
		"events of a time are found, and those before and behind it are not": testTimes,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &bench{T: t}
			b.store, b.again = open(t)
			test(t, b)
		})
	}
}

// bench is a store with what tests do to it.
type bench struct {
	*testing.T

	store history.Store
	again func() history.Store
}

// At is the time of acceptance of the first event of a test.
func At() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }

// Event returns an event of the endpoint mail/ee that was accepted some milliseconds after [At].
func Event(n int, change func(e *event.Event)) history.Event {
	e := event.Event{
		ID: fmt.Sprintf("%032x", n), Type: event.Bounced, Provider: "EmailEngine", Time: At(), Recipient: fmt.Sprintf("r%d@example.com", n),
		MessageID: fmt.Sprintf("m%d@example.com", n), ProviderMessageID: fmt.Sprintf("p%d", n), SMTPCode: 550, EnhancedCode: "5.1.1",
		Raw: []byte(fmt.Sprintf(`{"n":%d}`, n)),
	}
	if change != nil {
		change(&e)
	}
	payload, err := event.Encode(&e, event.Source("mail", "ee"))
	if err != nil {
		payload = nil
	}
	return history.Event{AcceptedAt: At().Add(time.Duration(n) * time.Millisecond), Sinks: []string{"mail/crm"}, Payload: payload}
}

func (b *bench) add(events ...history.Event) {
	b.Helper()
	b.append(history.Batch{Events: events})
}

func (b *bench) append(batch history.Batch) {
	b.Helper()
	if err := b.store.Append(b.Context(), batch); err != nil {
		b.Fatal(err)
	}
}

// fill adds n events.
func (b *bench) fill(n int) {
	b.Helper()
	var events []history.Event
	for i := range n {
		events = append(events, Event(i, nil))
	}
	b.add(events...)
}

// page returns a page.
func (b *bench) page(q history.Query) history.Page {
	b.Helper()
	page, err := b.store.Search(b.Context(), q)
	if err != nil {
		b.Fatal(err)
	}
	return page
}

// all returns the numbers of all events that a query selects, page after page.
func (b *bench) all(q history.Query) (found []string) {
	b.Helper()
	for range 10_000 {
		page := b.page(q)
		for i := range page.Events {
			found = append(found, idOf(b.T, &page.Events[i]))
		}
		if page.Next == "" || q.Forward && len(page.Events) == 0 && !page.Short {
			return found
		}
		q.Cursor = page.Next
	}
	b.Fatal("the pages do not end")
	return nil
}

// idOf returns an event's id without the zeros that it begins with.
func idOf(t *testing.T, f *history.Found) string {
	t.Helper()
	facts, err := event.FactsOf(f.Payload)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimLeft(facts.ID[:len(facts.ID)-1], "0") + facts.ID[len(facts.ID)-1:]
}

func (b *bench) want(reason string, q history.Query, want ...string) {
	b.Helper()
	if diff := cmp.Diff(want, b.all(q)); diff != "" {
		b.Errorf("%s (-want +got):\n%s", reason, diff)
	}
}

// attempt returns one of an event of [Event], so many seconds after [At].
func attempt(n, seconds int, outcome history.Outcome, answer string) history.Attempt {
	e := Event(n, nil)
	facts, _ := event.FactsOf(e.Payload)
	return history.Attempt{
		Sink: "mail/crm", At: At().Add(time.Duration(seconds) * time.Second), Took: 20 * time.Millisecond, Outcome: outcome, Answer: answer,
		Events: []history.Sent{{Key: history.KeyOf([]byte(facts.ID), []byte(facts.Source)), AcceptedAt: e.AcceptedAt}},
	}
}

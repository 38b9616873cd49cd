package historytest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/history"
)

func testLookups(_ *testing.T, b *bench) {
	b.fill(3)
	b.add(Event(3, func(e *event.Event) { e.Type, e.SMTPCode, e.EnhancedCode = event.Opened, 0, "" }))
	b.want("by id", history.Query{ID: fmt.Sprintf("%032x", 1)}, "1")
	b.want("by recipient", history.Query{Recipient: "r1@example.com"}, "1")
	b.want("by recipient, in another case", history.Query{Recipient: "R1@EXAMPLE.com"}, "1")
	b.want("by message id", history.Query{Message: "m2@example.com"}, "2")
	b.want("by the provider's", history.Query{Message: "p2"}, "2")
	b.want("by endpoint", history.Query{Endpoint: "mail/ee"}, "3", "2", "1", "0")
	b.want("by type", history.Query{Type: "email.opened"}, "3")
	b.want("by reply code", history.Query{Code: "550"}, "2", "1", "0")
	b.want("by status code", history.Query{Code: "5.1.1"}, "2", "1", "0")
	b.want("by sink", history.Query{Sink: "mail/crm", Type: "email.opened"}, "3")
	b.want("by two that agree", history.Query{Recipient: "r1@example.com", Message: "p1"}, "1")
	for _, q := range []history.Query{
		{ID: "1"},
		{Recipient: "r9@example.com"},
		{Message: "r1@example.com"},
		{Endpoint: "mail/e"},
		{Type: "email"},
		{Sink: "mail/other"},
		{Recipient: "r1@example.com", Message: "p2"},
		{Code: "0"},
		{Code: "55"},
		{Recipient: "r1@example.com", States: []history.State{history.StateUnrouted}},
		{ID: fmt.Sprintf("%032x", 1), Endpoint: "mail/other"},
		{Recipient: "example.com"},
	} {
		b.want(fmt.Sprintf("%+v", q), q)
	}
}

func testOddNames(_ *testing.T, b *bench) {
	odd := []string{
		"\x00", "a\x00b", "<script>alert(1)</script>", "\x1b[2J", "\"quoted @ local\"@example.com", `back\slash`, "\u202egnp.exe",
		strings.Repeat("long", 20_000), " ", "\n", "b.1", "%2F..%2F", "ünï@exämple.com", "\ufffd", "\U0001f4ec",
	}
	for i, name := range odd {
		b.add(Event(i, func(e *event.Event) { e.Recipient, e.MessageID, e.ProviderMessageID = name, "m"+name, "p"+name }))
	}
	for i, name := range odd {
		want := fmt.Sprintf("%x", i)
		b.want("recipient", history.Query{Recipient: name}, want)
		b.want("message", history.Query{Message: "m" + name}, want)
		b.want("provider's message", history.Query{Message: "p" + name}, want)
	}
}

func testManyRecipients(_ *testing.T, b *bench) {
	var many []string
	for i := range 1000 {
		many = append(many, fmt.Sprintf("Member%d@example.com", i))
	}
	b.fill(2)
	b.add(Event(2, func(e *event.Event) { e.Recipient, e.Recipients = many[0], many }))
	for i := 0; i < len(many); i += 37 {
		b.want(many[i], history.Query{Recipient: strings.ToLower(many[i])}, "2")
	}
}

func testTwice(_ *testing.T, b *bench) {
	b.fill(5)
	b.store = b.again()
	b.add(Event(3, nil), Event(4, nil), Event(5, nil))
	b.want("after a restart that forgot what was ticked off", history.Query{}, "5", "4", "3", "2", "1", "0")
	b.want("by id", history.Query{ID: fmt.Sprintf("%032x", 3)}, "3")
	if n := b.store.Stats().Events; n != 6 {
		b.Errorf("%d events are counted", n)
	}
}

func testSameID(_ *testing.T, b *bench) {
	here := Event(1, nil)
	there := here
	there.Payload = []byte(strings.ReplaceAll(string(here.Payload), "/mailvane/mail/ee", "/mailvane/mail/other"))
	b.store = b.again()
	b.add(here, there)
	b.want("by id", history.Query{ID: fmt.Sprintf("%032x", 1)}, "1", "1")
	b.want("by endpoint", history.Query{ID: fmt.Sprintf("%032x", 1), Endpoint: "mail/other"}, "1")
	b.append(history.Batch{Attempts: []history.Attempt{attempt(1, 1, history.Delivered, "")}})
	b.want("what became of one", history.Query{Endpoint: "mail/other", States: []history.State{history.StateWaiting}}, "1")
	b.want("what became of the other", history.Query{Endpoint: "mail/ee", States: []history.State{history.StateDelivered}}, "1")
}

func testRestart(_ *testing.T, b *bench) {
	b.fill(200)
	b.append(history.Batch{Attempts: []history.Attempt{attempt(7, 1, history.Delivered, "")}, Refusals: []history.Refusal{{At: At(), Endpoint: "mail/ee", Reason: "signature"}}})
	b.store = b.again()
	b.want("a look-up", history.Query{Recipient: "r7@example.com", States: []history.State{history.StateDelivered}}, "7")
	if found := b.all(history.Query{}); len(found) != 200 {
		b.Errorf("%d events are left", len(found))
	}
	b.add(Event(200, nil))
	b.want("what comes then is the latest", history.Query{Message: "p200"}, "c8")
	if refused, err := b.store.Refusals(b.Context(), 10); len(refused) != 1 || err != nil {
		b.Errorf("%v %v", refused, err)
	}
}

func testPages(_ *testing.T, b *bench) {
	b.fill(250)
	var found []string
	q := history.Query{Limit: 7, Endpoint: "mail/ee"}
	for n := 250; ; n++ {
		page := b.page(q)
		for i := range page.Events {
			found = append(found, idOf(b.T, &page.Events[i]))
		}
		if page.Next == "" {
			break
		}
		q.Cursor = page.Next
		b.add(Event(n, nil)) // meanwhile
	}
	if len(found) != 250 || found[0] != "f9" || found[249] != "0" {
		b.Errorf("%d events, %v", len(found), found)
	}
}

func testEverything(_ *testing.T, b *bench) {
	for n := 0; n < 5000; n += 1000 {
		var events []history.Event
		for i := range 1000 {
			events = append(events, Event(n+i, nil))
		}
		b.add(events...)
	}
	if found := b.all(history.Query{Limit: history.MaxLimit + 1}); len(found) != 5000 {
		b.Errorf("%d events of everything", len(found))
	}
	if found := b.all(history.Query{States: []history.State{history.StateDelivered}}); len(found) != 0 {
		b.Errorf("%d events that nobody has", len(found))
	}
	if page := b.page(history.Query{Limit: history.MaxLimit + 1}); len(page.Events) != history.MaxLimit {
		b.Errorf("a page has %d events", len(page.Events))
	}
}

func testFollow(_ *testing.T, b *bench) {
	b.fill(3)
	q := history.Query{Forward: true}
	page := b.page(q)
	if len(page.Events) != 3 || idOf(b.T, &page.Events[0]) != "0" {
		b.Errorf("%d events", len(page.Events))
	}
	for n := 3; n < 80; n++ {
		q.Cursor = page.Next
		if page = b.page(q); len(page.Events) != 0 {
			b.Fatalf("%d events came twice", len(page.Events))
		}
		b.add(Event(n, nil))
		q.Cursor = page.Next
		if page = b.page(q); len(page.Events) != 1 || idOf(b.T, &page.Events[0]) != fmt.Sprintf("%x", n) {
			b.Fatalf("event %d: %d came", n, len(page.Events))
		}
	}
}

func testForeignCursor(_ *testing.T, b *bench) {
	b.fill(3)
	for _, cursor := range []string{"x", "x.1", ".", "\x00", strings.Repeat("z", 10_000), b.page(history.Query{Limit: 1}).Next + "!"} {
		if _, err := b.store.Search(b.Context(), history.Query{Cursor: cursor}); !errors.Is(err, history.ErrCursor) {
			b.Errorf("%.20q: %v", cursor, err)
		}
	}
	// One of yesterday is good: what it stands at may be gone.
	page := b.page(history.Query{Limit: 1})
	if _, err := b.store.Erase(b.Context(), history.Erasure{Recipient: "r2@example.com"}); err != nil {
		b.Fatal(err)
	}
	b.store = b.again()
	b.want("after a restart", history.Query{Cursor: page.Next}, "1", "0")
}

func testTimes(_ *testing.T, b *bench) {
	for n := range 300 {
		b.add(Event(n, nil))
	}
	at := func(n int) time.Time { return At().Add(time.Duration(n) * time.Millisecond) }
	b.want("at or after the one and before the other", history.Query{Since: at(100), Until: at(103)}, "66", "65", "64")
	b.want("the other way round", history.Query{Since: at(100), Until: at(103), Forward: true}, "64", "65", "66")
	b.want("of the future", history.Query{Since: at(300)})
	b.want("of the past", history.Query{Until: at(0)})
	b.want("of no time", history.Query{Since: at(5), Until: at(5)})
	b.add(Event(50, func(e *event.Event) { e.ID = "ff" })) // as after a clock went back, or from another pod
	b.want("what was accepted early and came late", history.Query{Since: at(50), Until: at(51)}, "ff", "32")
}

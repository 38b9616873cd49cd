package intake_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/internal/simulate/engagelab"
	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/intake"
	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/provider"
)

const elSettings = `{"appKeys":["appkey123"],"signatureAlgorithm":"HMACSHA256"}`

// engageLab returns an EngageLab endpoint at /hooks/mail/el with one route that takes everything.
func engageLab(change func(*config.Endpoint)) config.Endpoint {
	return emailEngine(func(e *config.Endpoint) {
		e.Name, e.Path, e.MaxBodyBytes = "el", "/hooks/mail/el", 10<<20
		e.Provider = config.Plugin{Type: "EngageLab", Settings: []byte(elSettings)}
		if change != nil {
			change(e)
		}
	})
}

// fromEngageLab returns a body signed as EngageLab signs.
func fromEngageLab(t *testing.T, body string) *http.Request {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/hooks/mail/el", strings.NewReader(body))
	r.Header = signedBy(t, elSettings, body)
	return r
}

// signedBy returns the headers that EngageLab sends with a body.
func signedBy(t *testing.T, settings, body string) http.Header {
	t.Helper()
	p := &provider.Request{Header: http.Header{}, Body: []byte(body), ReceivedAt: time.Now()}
	if err := engagelab.Sign([]byte(settings), nil, p); err != nil {
		t.Fatal(err)
	}
	return p.Header
}

// TestManyUndecodableItemsAreFewDeadLetters posts thousands of short items that cannot be read, each of which would take many times
// its size as a dead letter of its own. Nothing of them is lost, nor is what stands between them.
func TestManyUndecodableItemsAreFewDeadLetters(t *testing.T) {
	t.Parallel()
	const genuine = `{"response":{"event":"open"},"message_id":"a","itime":1}`
	numbers := make([]string, 9999)
	for i := range numbers {
		numbers[i] = fmt.Sprint(i + 1)
	}
	list := strings.Join(numbers, ",")
	for name, c := range map[string]struct {
		body    string
		letters int
		holds   []string
	}{
		"one after the other":       {"[" + list + "," + genuine + "]", 21, []string{"[21,22,", ",9999]"}},
		"and one that is open":      {"[" + list + "," + genuine + ",", 22, []string{"[21,22,", ",9999]", "," + genuine + ","}},
		"as many as have their own": {"[" + strings.Join(numbers[:21], ",") + "," + genuine + "]", 21, []string{"21"}},
	} {
		f := newFront(t, engageLab(nil))
		if a := f.do(fromEngageLab(t, c.body)); a.status != 200 || a.Accepted != 1 || a.DeadLettered != c.letters {
			t.Fatalf("%s: %d %s", name, a.status, a.body)
		}
		var stored []byte
		for _, d := range f.deadLetters() {
			stored = append(append(stored, d.Payload...), '\n')
		}
		for _, want := range c.holds {
			if !bytes.Contains(stored, []byte(want)) {
				t.Errorf("%s: no dead letter holds %q", name, want)
			}
		}
		if a := f.do(fromEngageLab(t, c.body)); a.Duplicates != c.letters+1 || a.DeadLettered != 0 {
			t.Errorf("%s, again: %s", name, a.body)
		}
	}
}

// TestManyDeadLettersInOneAreDecodedAgain has items that another release can read.
func TestManyDeadLettersInOneAreDecodedAgain(t *testing.T) {
	t.Parallel()
	f := newFront(t, engageLab(nil))
	var items []string
	for i := range 100 {
		items = append(items, fmt.Sprintf(`{"response":{"event":"open"},"message_id":"m%d","message_id":"m","itime":1}`, i))
	}
	f.do(fromEngageLab(t, "["+strings.Join(items, ",")+"]"))
	letters := f.deadLetters()
	last := letters[len(letters)-1]
	if len(letters) != 21 || !jsontext.Value(last.Payload).IsValid(jsontext.AllowDuplicateNames(true)) || !strings.HasPrefix(last.Reason, "80 more items of the same request: ") {
		t.Fatalf("%d dead letters, the last with %.60q, because %q", len(letters), last.Payload, last.Reason)
	}
	last.Payload = bytes.ReplaceAll(last.Payload, []byte(`,"message_id":"m",`), []byte(`,`))
	batch, err := f.table.Requeue(&last, time.Now())
	if err != nil || len(batch.Entries) != 80 {
		t.Errorf("%v, %d entries", err, len(batch.Entries))
	}
}

func TestAReasonIsBounded(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("\x1b[2J", 5000)
	f := newFront(t, emailEngine(func(e *config.Endpoint) {
		e.Routes = []config.Route{
			{Name: "time", Sink: "crm", Filter: `timestamp(event.subject) > timestamp("2026-01-01T00:00:00Z")`},
		}
	}))
	r := signed(t, path, strings.NewReplacer("\x1b", `\u001b`).Replace(`{"event":"messageNew","account":"a","data":{"subject":"`+long+`"}}`))
	if a := f.do(r); a.status != 200 || a.DeadLettered != 1 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if reason := f.deadLetters()[0].Reason; len(reason) > journal.MaxReasonBytes || strings.ContainsRune(reason, 0x1b) {
		t.Errorf("%d bytes: %.80q", len(reason), reason)
	}
}

// recipients returns a callback about a message to n recipients.
func recipients(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`"r%d@example.com"`, i)
	}
	return `{"message_id":"m","itime":1,"status":{"message_status":"target","status_data":{"tos":[` + strings.Join(list, ",") + `]}}}`
}

// TestWhatARequestBecomesIsInFlight has a body that becomes many times its size. It is taken while nothing else of a like size is
// handled, and otherwise refused for the moment, without keeping others out.
func TestWhatARequestBecomesIsInFlight(t *testing.T) {
	t.Parallel()
	stored := make(chan chan struct{}, 2)
	f := newFrontWith(t, intake.Options{MaxInFlightBytes: 4 << 20}, engageLab(nil), emailEngine(nil))
	slow := &heldJournal{Appender: f.journal, arrived: stored}
	f = newFrontWith(t, intake.Options{MaxInFlightBytes: 4 << 20, Journal: slow}, engageLab(nil), emailEngine(nil))
	first := make(chan answer)
	go func() { first <- f.do(fromEngageLab(t, recipients(10_000))) }() // 180 KB, some 12 MB of events
	let := <-stored
	if a := f.do(fromEngageLab(t, recipients(9_999))); a.status != 429 || a.header.Get("Retry-After") == "" {
		t.Errorf("another of its size, meanwhile: %d %s", a.status, a.body)
	}
	other := make(chan answer)
	go func() { other <- f.do(signed(t, path, trackOpen)) }()
	close(<-stored)
	if a := <-other; a.status != 200 {
		t.Errorf("a small one at another endpoint, meanwhile: %d %s", a.status, a.body)
	}
	close(let)
	if a := <-first; a.status != 200 || a.Accepted != 10_000 {
		t.Errorf("the first: %d %s", a.status, a.body)
	}
	go func() { first <- f.do(fromEngageLab(t, recipients(9_999))) }()
	close(<-stored)
	if a := <-first; a.status != 200 {
		t.Errorf("the other, later: %d %s", a.status, a.body)
	}
}

package intake_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/intake"
	"github.com/mailvane/mailvane/receiver/journal"
)

// bounce is a body of EmailEngine that says n wherever an event can say it. Its length depends on n.
func bounce(n int) string {
	return fmt.Sprintf(`{"account":"a","date":"2026-01-02T03:04:05.000Z","event":"messageBounce","data":{"recipient":"to%d@example.com","messageId":"<r%d>","action":"%s"}}`,
		n, n, strings.Repeat("x", n*37%3000))
}

// checkEvent tests that all that an event says is of the same n.
func checkEvent(t *testing.T, ev *event.Event) {
	t.Helper()
	n := -1
	if _, err := fmt.Sscanf(ev.Recipient, "to%d@example.com", &n); err != nil {
		t.Fatalf("recipient %q: %v", ev.Recipient, err)
	}
	raw := item("abc123", n)
	if ev.Provider == "EmailEngine" {
		raw = bounce(n)
	}
	if ev.Key() != fmt.Sprintf("r%d", n) || string(ev.Raw) != raw {
		t.Errorf("the event of %s has the key %s and is of\n%.300s, want\n%.300s", ev.Recipient, ev.Key(), ev.Raw, raw)
	}
}

// TestRequestsAtOnceAreNotMixed sends single events and batches of several buffers' size at once, which use the same memory.
func TestRequestsAtOnceAreNotMixed(t *testing.T) {
	t.Parallel()
	const senders, each, items = 8, 40, 300
	f := newFront(t, emailEngine(nil), mailChannels())
	var all sync.WaitGroup
	for sender := range senders {
		requests := make([]*http.Request, 0, each+1)
		for i := range each {
			requests = append(requests, signed(t, "/hooks/mail/ee", bounce(sender*each+i)))
		}
		batch := make([]string, items)
		for i := range batch {
			batch[i] = item("abc123", sender*items+i)
		}
		requests = append(requests, signedBatch(t, batch...))
		requests[0], requests[each] = requests[each], requests[0]
		all.Go(func() {
			for _, r := range requests {
				w := httptest.NewRecorder()
				if f.handler.ServeHTTP(w, r); w.Code != http.StatusOK || strings.Contains(w.Body.String(), "deadLettered") {
					t.Errorf("%d %s", w.Code, w.Body)
				}
			}
		})
	}
	all.Wait()
	owed := f.owed("crm")
	for i := range owed {
		checkEvent(t, &owed[i])
	}
	if len(owed) != senders*(each+items) {
		t.Errorf("%d events are owed", len(owed))
	}
}

// hoarder is a journal that fails every other time, and holds on to what it could not store.
type hoarder struct {
	appends int
	held    [][]byte
	copies  [][]byte
}

func (j *hoarder) Append(_ context.Context, b journal.Batch) (journal.Receipt, error) {
	if j.appends++; j.appends%2 == 0 {
		return journal.Receipt{Accepted: len(b.Entries)}, nil
	}
	for _, e := range b.Entries {
		j.held, j.copies = append(j.held, e.Payload), append(j.copies, bytes.Clone(e.Payload))
	}
	return journal.Receipt{}, errors.New("the disk is slow")
}

func TestMemoryOfAFailedRequestIsNotUsedAgain(t *testing.T) {
	t.Parallel()
	j := &hoarder{}
	f := newFrontWith(t, intake.Options{Journal: j}, emailEngine(nil))
	for n := range 100 {
		want := [...]int{http.StatusServiceUnavailable, http.StatusOK}[n%2]
		if a := f.do(signed(t, "/hooks/mail/ee", bounce(n))); a.status != want {
			t.Fatalf("%d %s, want %d", a.status, a.body, want)
		}
	}
	for i := range j.held {
		if !bytes.Equal(j.held[i], j.copies[i]) {
			t.Fatalf("an event that the journal holds became\n%.300s\nand was\n%.300s", j.held[i], j.copies[i])
		}
	}
}

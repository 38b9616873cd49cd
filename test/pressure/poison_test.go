package pressure

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/mailvane/mailvane/receiver/admin"
)

var messageID = regexp.MustCompile(`"messageId":"([0-9]+)@example.com"`)

// picky is a destination that refuses one event, and never answers about another.
type picky struct {
	refuses, hangsOn string
	ended            context.Context //nolint:containedctx // the end of the test, for a handler that hangs

	mu  sync.Mutex
	got map[string]bool
}

func (p *picky) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(q.Body)
	if err != nil {
		return
	}
	var ids []string
	for _, m := range messageID.FindAllStringSubmatch(string(body), -1) {
		ids = append(ids, m[1])
	}
	for _, id := range ids {
		switch id {
		case p.hangsOn:
			select {
			case <-p.ended.Done():
			case <-q.Context().Done():
			}
			return
		case p.refuses:
			http.Error(w, "not this one", http.StatusBadRequest)
			return
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, id := range ids {
		p.got[id] = true
	}
}

func (p *picky) has() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.got)
}

func newPicky(t *testing.T) (p *picky, url string) {
	t.Helper()
	p = &picky{got: map[string]bool{}, ended: t.Context()}
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	return p, server.URL
}

// TestAPoisonedBatch has one event of 500 that the sink refuses, in batches of 100.
func TestAPoisonedBatch(t *testing.T) {
	t.Parallel()
	p, url := newPicky(t)
	p.refuses = "77"
	r := start(t, configuration(url))
	r.postAll(500)
	eventually(t, "all others arrive", func() bool { return p.has() == 499 })
	var letters []admin.DeadLetter
	eventually(t, "the one is a dead letter", func() bool {
		letters = nil
		err := r.admin.DeadLetters(t.Context(), func(d *admin.DeadLetter) error {
			letters = append(letters, *d)
			return nil
		})
		return err == nil && len(letters) > 0
	})
	if len(letters) != 1 || !strings.Contains(letters[0].Reason, "400") {
		t.Fatalf("dead letters: %+v", letters)
	}
	letter, err := r.admin.DeadLetter(t.Context(), letters[0].ID)
	if err != nil || !strings.Contains(letter.Payload, `"messageId":"77@example.com"`) {
		t.Errorf("%v: %s", err, letter.Payload)
	}
}

// TestASinkThatHangs never answers about one event. It holds one of the sink's two slots, and nothing of the intake.
func TestASinkThatHangs(t *testing.T) {
	t.Parallel()
	p, url := newPicky(t)
	p.hangsOn = "0"
	c := configuration(url)
	c.Sinks[0].Delivery.BatchMaxEvents = 1
	r := start(t, c)
	r.postAll(200)
	eventually(t, "all others arrive through the other slot", func() bool { return p.has() == 199 })
}

// postAll sends events with the numbers from 0, each on its own, some at a time.
func (r *receiver) postAll(n int) {
	r.t.Helper()
	var group sync.WaitGroup
	for s := range 10 {
		group.Go(func() {
			for i := s; i < n; i += 10 {
				if status := r.post(r.signed(hook, event(i))); status != http.StatusOK {
					r.t.Errorf("event %s: %d", fmt.Sprint(i), status)
				}
			}
		})
	}
	group.Wait()
}

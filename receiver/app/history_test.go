package app_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mailvane/mailvane/receiver/admin"
	"github.com/mailvane/mailvane/receiver/app"
	"github.com/mailvane/mailvane/receiver/history/embedded"
)

// remembering starts a receiver with a journal and a history on a disk.
func remembering(t *testing.T, disk vfs.FS) *receiver {
	t.Helper()
	j := open(t, disk)
	store, err := embedded.Open(embedded.Options{Dir: "history", FS: disk, Present: j.Present, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return startOn(t, j, app.Handoff{}, func(o *app.Options) { o.History = store })
}

// forge posts a body that nobody signed.
func (r *receiver) forge(body string) int {
	r.t.Helper()
	q, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, r.url+hook, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	response, err := r.httpClient.Do(q)
	if err != nil {
		r.t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}

// events returns what a search finds.
func (r *receiver) events(query url.Values) []admin.HistoryEvent {
	r.t.Helper()
	page, err := r.client.History(r.t.Context(), query)
	if err != nil {
		r.t.Fatal(err)
	}
	return page.Events
}

func (r *receiver) eventuallyIs(message, state string) {
	r.t.Helper()
	eventually(r.t, message+" is "+state, func() bool {
		found := r.events(url.Values{admin.QueryMessage: {message}})
		return len(found) == 1 && found[0].State == state
	})
}

// TestWhatHappenedIsFound follows events: one that a sink has, one that no route takes, one that waits, one that a sink refuses, which is
// retried, and a request that is refused.
func TestWhatHappenedIsFound(t *testing.T) {
	t.Parallel()
	r := remembering(t, vfs.NewMem())
	crm := newDestination(t)
	c := configuration(httpSink("crm", crm.URL))
	c.Endpoints[0].Routes[0].Filter = `!event.messageId.startsWith("nowhere")`
	r.apply(c)
	for _, message := range []string{"1@example.com", "nowhere@example.com"} {
		if status := r.post(message); status != http.StatusOK {
			t.Fatalf("%s: %d", message, status)
		}
	}
	r.eventuallyIs("1@example.com", "Delivered")
	r.eventuallyIs("nowhere@example.com", "Unrouted")
	found := r.events(url.Values{admin.QueryMessage: {"1@example.com"}, admin.QueryPayload: {"true"}})[0]
	if len(found.Attempts) != 1 || found.Attempts[0].Outcome != "Delivered" || found.Sinks[0] != "mail/crm" || !strings.Contains(found.Payload, "1@example.com") {
		t.Errorf("%+v", found)
	}
	crm.decide(http.StatusInternalServerError)
	r.post("waiting@example.com")
	eventually(t, "an attempt that failed is told", func() bool {
		found := r.events(url.Values{admin.QueryMessage: {"waiting@example.com"}})
		return len(found) == 1 && found[0].State == "Waiting" && len(found[0].Attempts) > 0 && strings.Contains(found[0].Attempts[0].Answer, "500")
	})
	crm.decide(http.StatusOK)
	r.eventuallyIs("waiting@example.com", "Delivered")
	crm.decide(http.StatusBadRequest)
	r.post("dead@example.com")
	r.eventuallyIs("dead@example.com", "DeadLetter")
	crm.decide(http.StatusOK)
	var ids []uint64
	if err := r.client.DeadLetters(t.Context(), func(d *admin.DeadLetter) error {
		ids = append(ids, d.ID)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if result, err := r.client.Retry(t.Context(), ids); err != nil || result.Done != 1 {
		t.Fatalf("%+v %v", result, err)
	}
	r.eventuallyIs("dead@example.com", "Delivered")
	if status := r.forge("{}"); status != http.StatusUnauthorized {
		t.Errorf("a forged request: %d", status)
	}
	eventually(t, "a refused request is told", func() bool {
		refused, err := r.client.Refusals(t.Context(), 10)
		return err == nil && len(refused) == 1 && refused[0].Endpoint == "mail/ee" && refused[0].Address == "127.0.0.1" && refused[0].Size == 2
	})
}

// TestTheHistoryMissesNothingAfterARestart stops a receiver at once, again and again, and finds everything that was answered 200.
func TestTheHistoryMissesNothingAfterARestart(t *testing.T) {
	t.Parallel()
	disk := vfs.NewCrashableMem()
	sent := 0
	for range 5 {
		r := remembering(t, disk)
		r.apply(configuration())
		for range 40 {
			if status := r.post(fmt.Sprintf("%d@example.com", sent)); status == http.StatusOK {
				sent++
			}
		}
		disk = disk.CrashClone(vfs.CrashCloneCfg{}) // the power is cut while the receiver goes on, to nobody's use
	}
	r := remembering(t, disk)
	r.apply(configuration())
	eventually(t, "every event is in the history", func() bool { return len(r.events(url.Values{admin.QueryLimit: {"1000"}})) == sent })
	for n := range sent {
		if found := r.events(url.Values{admin.QueryMessage: {fmt.Sprintf("%d@example.com", n)}}); len(found) != 1 || found[0].State != "Unrouted" {
			t.Errorf("event %d: %+v", n, found)
		}
	}
}

// TestABrokenHistoryCostsNoEvent runs a receiver whose history could not be opened.
func TestABrokenHistoryCostsNoEvent(t *testing.T) {
	t.Parallel()
	r := startOn(t, open(t, vfs.NewMem()), app.Handoff{}, func(o *app.Options) { o.HistoryProblem = "it was written by a later release" })
	crm := newDestination(t)
	r.apply(configuration(httpSink("crm", crm.URL)))
	r.post("1@example.com")
	eventually(t, "the event arrives", func() bool { return crm.has("1@example.com") })
	if _, err := r.client.History(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "later release") {
		t.Errorf("%v", err)
	}
}

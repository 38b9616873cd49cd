package app_test

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/admin"
	"github.com/mailvane/mailvane/receiver/app"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/embedded"
	"github.com/mailvane/mailvane/receiver/metrics"
)

// TestEndpointsAreCounted follows what the admin API says came to an endpoint.
func TestEndpointsAreCounted(t *testing.T) {
	t.Parallel()
	r := start(t, vfs.NewMem())
	crm := newDestination(t)
	c := configuration(httpSink("crm", crm.URL))
	quiet := c.Endpoints[0]
	quiet.Name, quiet.Path = "quiet", hook+"-quiet"
	c.Endpoints = append(c.Endpoints, quiet)
	r.apply(c)
	for _, id := range []string{"1@example.com", "2@example.com", "1@example.com"} {
		if status := r.post(id); status != http.StatusOK {
			t.Fatal(status)
		}
	}
	unsigned, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url+hook, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := r.httpClient.Do(unsigned)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	endpoints, err := r.client.Endpoints(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	counted := map[string]metrics.Counts{}
	for _, e := range endpoints {
		counted[e.Name] = e.Counts
	}
	want := map[string]metrics.Counts{"mail/ee": {Accepted: 2, Duplicates: 1, Refused: 1}, "mail/quiet": {}}
	if diff := cmp.Diff(want, counted); diff != "" {
		t.Error(diff)
	}
}

// common is a journal that several receivers have in common.
type common struct{ journal.Journal }

func (common) SharedName() string { return "nats://events" }

func TestAnAdminAPISaysWhetherItsJournalIsShared(t *testing.T) {
	t.Parallel()
	alone := start(t, vfs.NewMem())
	if j, err := alone.client.Journal(t.Context()); err != nil || j != (admin.Journal{}) {
		t.Errorf("a journal of its own: %+v, %v", j, err)
	}
	own, err := embedded.Open(embedded.Options{Dir: "journal", FS: vfs.NewMem(), MinFreeBytes: -1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	r, err := app.New(app.Options{Journal: common{own}, Logger: slog.New(slog.DiscardHandler), AdminKeys: keyring(t)})
	if err != nil {
		t.Fatal(err)
	}
	webhooks, back := listen(t), listen(t)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Serve(ctx, app.Listeners{Webhooks: webhooks, Admin: back}) }()
	if j, err := adminOf(back.Addr().String()).Journal(t.Context()); err != nil || j.Shared != "nats://events" {
		t.Errorf("a shared journal: %+v, %v", j, err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestADeadLetterIsRetriedOnce has several operators retry the same dead letters at once, each of them twice.
func TestADeadLetterIsRetriedOnce(t *testing.T) {
	t.Parallel()
	const letters, operators = 50, 4
	j := open(t, vfs.NewMem())
	r := startOn(t, j, takesOver())
	crm := newDestination(t)
	crm.decide(http.StatusServiceUnavailable)
	r.apply(configuration(httpSink("crm", crm.URL)))
	payload, err := event.Encode(&event.Event{ID: "1", Type: event.Opened, Time: time.Now()}, event.Source("mail", "ee"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range letters {
		letter := journal.DeadLetter{Cause: journal.CauseRefused, Sink: "mail/crm", At: time.Now(), Payload: payload}
		if i%2 == 0 {
			letter.Cause, letter.Endpoint, letter.Route = journal.CauseFilterFailed, "mail/ee", "crm"
		}
		if _, err := j.Append(t.Context(), journal.Batch{DeadLetters: []journal.DeadLetter{letter}}); err != nil {
			t.Fatal(err)
		}
	}
	ids := r.deadLetterIDs()
	var group sync.WaitGroup
	for range operators {
		group.Go(func() {
			result, err := r.client.Retry(context.Background(), slices.Concat(ids, ids))
			if err != nil || result.Done+len(result.Failed) != letters {
				t.Errorf("%+v, %v", result, err)
			}
		})
	}
	group.Wait()
	if got, want := r.Status(), (app.Status{Pending: letters}); got != want {
		t.Errorf("held after the retries: %+v, want %+v", got, want)
	}
}

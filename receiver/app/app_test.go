package app_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/go-json-experiment/json"

	"github.com/mailvane/mailvane/receiver/admin"
	"github.com/mailvane/mailvane/receiver/admin/access"
	"github.com/mailvane/mailvane/receiver/app"
	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/journal"
)

func TestAConfigurationIsAppliedAsAWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	r := start(t, vfs.NewMem())
	if r.Ready() {
		t.Error("ready without a configuration")
	}
	crm := newDestination(t)
	r.apply(configuration(httpSink("crm", crm.URL)))
	if !r.Ready() {
		t.Error("not ready")
	}
	broken := configuration(httpSink("crm", crm.URL+"/elsewhere"))
	broken.Endpoints[0].Routes[0].Filter = "event.typ == 1"
	broken.Sinks = append(broken.Sinks, config.Sink{Namespace: "mail", Name: "x", Kind: config.Plugin{Type: "Nothing"}, Delivery: delivery()})
	err := r.Apply(t.Context(), broken)
	if err == nil || !strings.Contains(err.Error(), `route "crm": filter does not compile`) || !strings.Contains(err.Error(), `sink mail/x: unknown type "Nothing"`) {
		t.Errorf("error: %v", err)
	}
	if status := r.post("1@example.com"); status != http.StatusOK {
		t.Errorf("after a refused configuration: %d", status)
	}
	eventually(t, "the event arrives where the last good configuration says", func() bool { return crm.has("1@example.com") })
}

// TestEditsLoseNothing changes sinks and endpoints all the time while requests come in.
func TestEditsLoseNothing(t *testing.T) {
	t.Parallel()
	r := start(t, vfs.NewMem())
	first, second := newDestination(t), newDestination(t)
	steady := httpSink("steady", first.URL)
	r.apply(configuration(steady, httpSink("moving", first.URL)))
	const senders, each = 4, 150
	var group sync.WaitGroup
	for s := range senders {
		group.Go(func() {
			for i := range each {
				if status := r.post(fmt.Sprintf("%d.%d@example.com", s, i)); status != http.StatusOK {
					t.Errorf("answer %d during an edit", status)
				}
			}
		})
	}
	edited := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(edited)
		for n := 0; ; n++ {
			select {
			case <-done:
				return
			default:
			}
			moving := httpSink("moving", []string{first.URL, second.URL}[n%2]+"/moving")
			c := configuration(steady, moving)
			c.Endpoints[0].Routes[0].Filter = fmt.Sprintf(`event.type == "email.opened" || event.smtpCode == %d`, n)
			if err := r.Apply(context.Background(), c); err != nil {
				t.Error(err)
			}
		}
	}()
	group.Wait()
	close(done)
	<-edited
	eventually(t, "every accepted event arrives at both sinks", func() bool {
		return r.Status().Pending == 0
	})
	for s := range senders {
		for i := range each {
			id := fmt.Sprintf("%d.%d@example.com", s, i)
			first.mu.Lock()
			second.mu.Lock()
			if first.got[id]+second.got[id] < 2 {
				t.Errorf("%s arrived %d times, want at both sinks", id, first.got[id]+second.got[id])
			}
			second.mu.Unlock()
			first.mu.Unlock()
		}
	}
}

func TestASinkThatIsRemovedKeepsItsEventsForItsReturn(t *testing.T) {
	t.Parallel()
	r := start(t, vfs.NewMem())
	crm := newDestination(t)
	crm.decide(http.StatusServiceUnavailable)
	r.apply(configuration(httpSink("crm", crm.URL)))
	r.post("1@example.com")
	r.apply(configuration())
	sinks, err := r.client.Sinks(t.Context())
	if err != nil || len(sinks) != 1 || sinks[0].Type != "Absent" || sinks[0].Pending != 1 {
		t.Errorf("sinks: %+v, %v", sinks, err)
	}
	crm.decide(http.StatusOK)
	r.apply(configuration(httpSink("crm", crm.URL)))
	eventually(t, "the event arrives after the sink's return", func() bool { return crm.has("1@example.com") })
}

func TestAnOrderlyStopFlushes(t *testing.T) {
	t.Parallel()
	disk := vfs.NewMem()
	r := start(t, disk)
	crm, dead := newDestination(t), newDestination(t)
	dead.decide(http.StatusInternalServerError)
	slow := httpSink("crm", crm.URL)
	slow.Delivery.BatchMaxEvents, slow.Delivery.MaxInFlight = 1, 1
	crm.pause = 5 * time.Millisecond
	r.apply(configuration(slow, httpSink("dead", dead.URL)))
	ids := make([]string, 50)
	for i := range ids {
		ids[i] = fmt.Sprintf("%d@example.com", i)
		if status := r.post(ids[i]); status != http.StatusOK {
			t.Fatalf("answer %d", status)
		}
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	if r.Ready() || !crm.has(ids...) {
		t.Error("ready after the stop, or the sink that works did not get everything")
	}
	again := start(t, disk)
	dead.decide(http.StatusOK)
	again.apply(configuration(slow, httpSink("dead", dead.URL)))
	eventually(t, "the other sink gets everything after the restart", func() bool { return dead.has(ids...) })
}

func TestAChangedSinkKeepsTheOrder(t *testing.T) {
	t.Parallel()
	r := start(t, vfs.NewMem())
	entered, release := make(chan struct{}), make(chan struct{})
	old, changed := newDestination(t), newDestination(t)
	enter := sync.OnceFunc(func() { close(entered) })
	old.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		enter()
		<-release
		old.ServeHTTP(w, q)
	})
	ordered := httpSink("crm", old.URL)
	ordered.Delivery.Ordering, ordered.Delivery.BatchMaxEvents = config.ByKey, 1
	r.apply(configuration(ordered))
	r.post("1@example.com")
	<-entered
	if status := r.postBody(clicked("1@example.com")); status != http.StatusOK {
		t.Fatalf("answer %d", status)
	}
	ordered.Kind.Settings = httpSink("crm", changed.URL).Kind.Settings
	r.apply(configuration(ordered))
	time.Sleep(100 * time.Millisecond) // a worker that does not wait is quicker than that
	if changed.has("1@example.com") {
		t.Error("the second event of a message overtook the first, which is still being sent")
	}
	close(release)
	eventually(t, "both arrive", func() bool { return old.has("1@example.com") && changed.has("1@example.com") })
}

// clicked is a later event of the message that the harness posts events of.
func clicked(messageID string) string {
	return fmt.Sprintf(`{"account":"a","date":"2026-01-02T03:04:06.678Z","event":"trackClick","data":{"messageId":"<%s>"}}`, messageID)
}

// behind is a journal at servers that have not yet said what they hold: no sink seems to be owed anything.
type behind struct{ journal.Journal }

func (b behind) Stats() journal.Stats {
	stats := b.Journal.Stats()
	stats.Pending = nil
	return stats
}

// sending is a receiver that has an event under way to a sink that was removed since, and whose configuration is returned.
func sending(t *testing.T) (r *receiver, removed config.Sink, arrive func()) {
	t.Helper()
	entered, release := make(chan struct{}), make(chan struct{})
	enter := sync.OnceFunc(func() { close(entered) })
	crm := newDestination(t)
	crm.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		enter()
		<-release
		crm.ServeHTTP(w, q)
	})
	removed = httpSink("crm", crm.URL)
	removed.Delivery.Ordering = config.ByKey
	r = startOn(t, behind{open(t, vfs.NewMem())}, app.Handoff{})
	r.apply(configuration(removed))
	r.post("1@example.com")
	<-entered
	r.apply(configuration())
	arrive = sync.OnceFunc(func() { close(release) })
	t.Cleanup(arrive)
	return r, removed, arrive
}

func TestASinkThatReturnsWaitsForTheOneThatWasRemoved(t *testing.T) {
	t.Parallel()
	r, sink, arrive := sending(t)
	changed := newDestination(t)
	sink.Kind.Settings = httpSink("crm", changed.URL).Kind.Settings
	r.apply(configuration(sink))
	if status := r.postBody(clicked("1@example.com")); status != http.StatusOK {
		t.Fatalf("answer %d", status)
	}
	time.Sleep(100 * time.Millisecond) // a worker that does not wait is quicker than that
	if changed.has("1@example.com") {
		t.Error("the second event of a message overtook the first, which is still being sent")
	}
	arrive()
	eventually(t, "the second arrives", func() bool { return changed.has("1@example.com") })
}

func TestAStopWaitsForASinkThatWasRemoved(t *testing.T) {
	t.Parallel()
	r, _, arrive := sending(t)
	stopped := make(chan error, 1)
	go func() { stopped <- r.stop() }()
	select {
	case err := <-stopped:
		t.Errorf("the journal is closed while an event is being sent: %v", err)
	case <-time.After(200 * time.Millisecond): // a stop that does not wait is quicker than that
		arrive()
		if err := <-stopped; err != nil {
			t.Error(err)
		}
	}
}

// TestASinkThatWasAwayKeepsTheOrder applies a sink again whose first event of a message waits for its next attempt.
func TestASinkThatWasAwayKeepsTheOrder(t *testing.T) {
	t.Parallel()
	r := start(t, vfs.NewMem())
	crm := newDestination(t)
	crm.decide(http.StatusServiceUnavailable)
	var overtook atomic.Bool
	crm.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		if err != nil || bytes.Contains(body, []byte("trackClick")) && !crm.has("1@example.com") {
			overtook.Store(true)
		}
		q.Body = io.NopCloser(bytes.NewReader(body))
		crm.ServeHTTP(w, q)
	})
	sink := httpSink("crm", crm.URL)
	sink.Delivery.Ordering, sink.Delivery.MaxInFlight, sink.Delivery.BatchMaxEvents = config.ByKey, 1, 1
	r.apply(configuration(sink))
	r.post("1@example.com")
	r.apply(configuration())
	eventually(t, "the absent sink has refused the first event", func() bool {
		sinks, err := r.client.Sinks(t.Context())
		return err == nil && len(sinks) == 1 && sinks[0].Type == "Absent" && sinks[0].LastError != ""
	})
	crm.decide(http.StatusOK)
	r.apply(configuration(sink))
	for _, body := range []string{clicked("1@example.com"), eventOf("2@example.com")} {
		if status := r.postBody(body); status != http.StatusOK {
			t.Fatalf("answer %d", status)
		}
	}
	eventually(t, "an event of another message arrives", func() bool { return crm.has("2@example.com") })
	if overtook.Load() {
		t.Error("the second event of a message overtook the first")
	}
}

// TestASinkThatIsAwayKeepsWhatItWouldHaveKept removes a sink whose maximum age is above the default, with an event between the two.
func TestASinkThatIsAwayKeepsWhatItWouldHaveKept(t *testing.T) {
	t.Parallel()
	j := open(t, vfs.NewMem())
	r := startOn(t, j, app.Handoff{})
	crm := newDestination(t)
	crm.decide(http.StatusServiceUnavailable)
	sink := httpSink("crm", crm.URL)
	sink.Delivery.MaxAgeSeconds = 30 * 24 * 3600
	r.apply(configuration(sink))
	payload, err := event.Encode(&event.Event{ID: "1", Type: event.Delivered, Time: time.Now()}, event.Source("mail", "ee"))
	if err != nil {
		t.Fatal(err)
	}
	old := journal.Entry{Sinks: []string{"mail/crm"}, AcceptedAt: time.Now().Add(-4 * 24 * time.Hour), Payload: payload}
	if _, err := j.Append(t.Context(), journal.Batch{Entries: []journal.Entry{old}}); err != nil {
		t.Fatal(err)
	}
	r.apply(configuration())
	eventually(t, "the absent sink has refused the event", func() bool {
		sinks, err := r.client.Sinks(t.Context())
		return err == nil && len(sinks) == 1 && sinks[0].Type == "Absent" && (sinks[0].LastError != "" || sinks[0].Pending == 0)
	})
	if s := j.Stats(); s.DeadLetters > 0 {
		t.Errorf("%d dead letters", s.DeadLetters)
	}
}

func TestOneSinkThatHangsSlowsNobody(t *testing.T) {
	t.Parallel()
	r := start(t, vfs.NewMem())
	release := make(chan struct{})
	hanging := newDestination(t)
	hanging.Config.Handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release })
	t.Cleanup(func() { close(release) })
	crm := newDestination(t)
	r.apply(configuration(httpSink("hanging", hanging.URL), httpSink("crm", crm.URL)))
	ids := make([]string, 200)
	for i := range ids {
		ids[i] = fmt.Sprintf("%d@example.com", i)
		if status := r.post(ids[i]); status != http.StatusOK {
			t.Fatalf("answer %d", status)
		}
	}
	eventually(t, "the other sink has everything", func() bool { return crm.has(ids...) })
}

func TestAdmin(t *testing.T) {
	t.Parallel()
	r := start(t, vfs.NewMem())
	crm := newDestination(t)
	r.apply(configuration(httpSink("crm", crm.URL)))
	for i := range 3 {
		r.postBody(fmt.Sprintf(`not JSON %d`, i))
	}
	endpoints, err := r.client.Endpoints(t.Context())
	if err != nil || len(endpoints) != 1 || endpoints[0].Name != "mail/ee" || endpoints[0].Path != hook || endpoints[0].Routes[0] != "mail/crm" {
		t.Errorf("endpoints: %+v, %v", endpoints, err)
	}
	var ids []uint64
	err = r.client.DeadLetters(t.Context(), func(d *admin.DeadLetter) error {
		ids = append(ids, d.ID)
		return nil
	})
	if err != nil || len(ids) != 3 {
		t.Fatalf("dead letters: %v, %v", ids, err)
	}
	letter, err := r.client.DeadLetter(t.Context(), ids[1])
	if err != nil || letter.Payload != "not JSON 1" || letter.Cause != "Undecodable" {
		t.Errorf("dead letter: %+v, %v", letter, err)
	}
	retried, err := r.client.Retry(t.Context(), append(ids, 9999))
	if err != nil || retried.Done != 0 || len(retried.Failed) != 4 || !strings.Contains(retried.Failed[9999], "no such dead letter") {
		t.Errorf("retry: %+v, %v", retried, err)
	}
	dropped, err := r.client.Drop(t.Context(), ids[:2])
	if err != nil || dropped.Done != 2 || r.Status().DeadLetters != 1 {
		t.Errorf("drop: %+v, %v; %d are left", dropped, err, r.Status().DeadLetters)
	}
	for path, want := range map[string]int{
		admin.PathHealth: 404, admin.PathReady: 404, admin.PathMetrics: 404,
		admin.PathDeadLetters + "?limit=0": 400, admin.PathDeadLetters + "/x": 400, admin.PathDeadLetters + "/9999": 404,
	} {
		if got := r.get(path); got != want {
			t.Errorf("GET %s: %d, want %d", path, got, want)
		}
	}
	form, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.client.BaseURL+admin.PathDrop, strings.NewReader(`{"ids":[1]}`))
	if err != nil {
		t.Fatal(err)
	}
	form.Header = http.Header{"Content-Type": {"text/plain"}, "Authorization": {"Bearer " + r.client.Token}}
	response, err := r.httpClient.Do(form)
	if err != nil || response.StatusCode != http.StatusUnsupportedMediaType {
		t.Errorf("a form of another site: %v, %v", response, err)
	}
	_ = response.Body.Close()
}

func (r *receiver) get(path string) int {
	r.t.Helper()
	response := r.ask(r.client.BaseURL+path, r.client.Token)
	_ = response.Body.Close()
	return response.StatusCode
}

// probe returns the status of what the metrics port answers.
func (r *receiver) probe(path string) int {
	r.t.Helper()
	response := r.ask(r.probes+path, "")
	_ = response.Body.Close()
	return response.StatusCode
}

func (r *receiver) ask(url, token string) *http.Response {
	r.t.Helper()
	request, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		r.t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := r.httpClient.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	return response
}

func TestTheAdminAPISaysWhichConfigurationIsLoaded(t *testing.T) {
	t.Parallel()
	r := startWith(t, vfs.NewMem(), takesOver())
	loaded := func() string {
		response := r.ask(r.client.BaseURL+config.LoadedPath, token(access.Viewer))
		defer func() { _ = response.Body.Close() }()
		var answer config.Loaded
		if err := json.UnmarshalRead(response.Body, &answer); err != nil {
			t.Fatal(err)
		}
		return answer.Hash
	}
	if got := loaded(); got != "" {
		t.Errorf("before the first configuration: %q", got)
	}
	first := configuration()
	r.apply(first)
	document, err := config.Encode(first)
	if err != nil {
		t.Fatal(err)
	}
	want := config.Fingerprint([]byte(sharedKey), config.Hash(document))
	if got := loaded(); got != want {
		t.Errorf("loaded %q", got)
	}
	refused := configuration()
	refused.Endpoints[0].Provider.Type = "Nobody"
	if err := r.Apply(t.Context(), refused); err == nil {
		t.Fatal("it was taken")
	}
	if got := loaded(); got != want {
		t.Errorf("after a refused configuration: %q", got)
	}
}

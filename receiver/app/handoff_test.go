package app_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mailvane/mailvane/receiver/admin"
	"github.com/mailvane/mailvane/receiver/app"
	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/handoff"
	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/embedded"
)

func key(text string) func() ([]byte, error) {
	return func() ([]byte, error) { return []byte(text), nil }
}

const sharedKey = "0123456789abcdef0123456789abcdef"

// patientHandoff hands off to the receiver behind the admin address, for as long as a test may take.
func patientHandoff(peer string) app.Handoff {
	return app.Handoff{Peers: peer, Key: key(sharedKey), Timeout: 30 * time.Second}
}

// takesOver is for a receiver that takes what others hand off, and has nobody to hand off to.
func takesOver() app.Handoff {
	return app.Handoff{Peers: "127.0.0.1:1", Key: key(sharedKey), Timeout: time.Millisecond}
}

// TestARolloutDuringASinksOutageLosesNothing stops a pod while one of two sinks is down. The other pod delivers the rest.
func TestARolloutDuringASinksOutageLosesNothing(t *testing.T) {
	t.Parallel()
	up, down := newDestination(t), newDestination(t)
	down.decide(http.StatusServiceUnavailable)
	sinks := []config.Sink{httpSink("up", up.URL), httpSink("down", down.URL)}
	staying := startWith(t, vfs.NewMem(), takesOver())
	staying.apply(configuration(sinks...))
	going := startWith(t, vfs.NewMem(), patientHandoff(staying.back))
	// What has been tried is not due again before the end of the test.
	sinks[1].Delivery.InitialBackoffMilliseconds, sinks[1].Delivery.MaxBackoffSeconds = 120_000, 300
	going.apply(configuration(sinks...))
	const events = 1200 // more than one parcel
	ids := make([]string, events)
	for i := range events {
		ids[i] = fmt.Sprintf("%d@example.com", i)
		if status := going.post(ids[i]); status != http.StatusOK {
			t.Fatalf("answer %d", status)
		}
	}
	if status := going.postBody(`{"event":`); status != http.StatusOK {
		t.Fatalf("undecodable: answer %d", status)
	}
	eventually(t, "the sink that is up has everything", func() bool { return up.has(ids...) })
	if err := going.stop(); err != nil {
		t.Fatal(err)
	}
	var letters []admin.DeadLetter
	err := staying.client.DeadLetters(t.Context(), func(d *admin.DeadLetter) error {
		letters = append(letters, *d)
		return nil
	})
	if err != nil || len(letters) != 1 || letters[0].Endpoint != "mail/ee" {
		t.Errorf("dead letters of the pod that stays: %v, %v", letters, err)
	}
	down.decide(http.StatusOK)
	eventually(t, "the sink that was down has everything", func() bool { return down.has(ids...) })
	for _, id := range ids {
		if n := up.times(id); n != 1 {
			t.Fatalf("the sink that was up has %s %d times", id, n)
		}
	}
	if got := staying.postedAs(ids[0]); got != `{"accepted":0,"duplicates":1}` {
		t.Errorf("the provider's retry at the pod that stays: %s", got)
	}
}

// uncounted is a journal whose store was opened again a moment ago: until it is recalled it does not know what it holds.
type uncounted struct {
	*embedded.Journal
	recalled atomic.Bool
}

func (j *uncounted) Stats() journal.Stats {
	if j.recalled.Load() {
		return j.Journal.Stats()
	}
	return journal.Stats{}
}

func (j *uncounted) Recall() error {
	j.recalled.Store(true)
	return j.Journal.Recall()
}

func TestWhatIsNotCountedYetIsHandedOff(t *testing.T) {
	t.Parallel()
	crm := newDestination(t)
	crm.decide(http.StatusServiceUnavailable)
	staying := startWith(t, vfs.NewMem(), takesOver())
	staying.apply(configuration(httpSink("crm", crm.URL)))
	going := startOn(t, &uncounted{Journal: open(t, vfs.NewMem())}, patientHandoff(staying.back))
	going.apply(configuration(httpSink("crm", crm.URL)))
	if status := going.post("1@example.com"); status != http.StatusOK {
		t.Fatalf("answer %d", status)
	}
	if err := going.stop(); err != nil {
		t.Fatal(err)
	}
	if status := staying.Status(); status.Pending != 1 {
		t.Errorf("the pod that stays holds %+v", status)
	}
}

// TestHandoffWaitsForAPodToBecomeReady stops a pod before another has its configuration.
func TestHandoffWaitsForAPodToBecomeReady(t *testing.T) {
	t.Parallel()
	crm := newDestination(t)
	crm.decide(http.StatusServiceUnavailable)
	starting := startWith(t, vfs.NewMem(), takesOver())
	going := startWith(t, vfs.NewMem(), patientHandoff(starting.back))
	going.apply(configuration(httpSink("crm", crm.URL)))
	if status := going.post("1@example.com"); status != http.StatusOK {
		t.Fatalf("answer %d", status)
	}
	stopped := make(chan error, 1)
	go func() { stopped <- going.stop() }()
	eventually(t, "the pod that stops asks", func() bool { return going.refusedPosts() })
	starting.apply(configuration(httpSink("crm", crm.URL)))
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
	crm.decide(http.StatusOK)
	eventually(t, "the event arrives", func() bool { return crm.has("1@example.com") })
}

// TestWhatNobodyTakesIsSaid stops a pod whose only peer has another key, or is not there.
func TestWhatNobodyTakesIsSaid(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ key, says string }{
		"another key": {strings.Repeat("x", 32), "401"},
		"no peer":     {"", "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			crm := newDestination(t)
			crm.decide(http.StatusServiceUnavailable)
			peers := "127.0.0.1:1"
			var other *receiver
			if tc.key != "" {
				other = startWith(t, vfs.NewMem(), app.Handoff{Peers: "127.0.0.1:1", Key: key(tc.key), Timeout: time.Millisecond})
				other.apply(configuration(httpSink("crm", crm.URL)))
				peers = other.back
			}
			disk, log := vfs.NewMem(), filepath.Join(t.TempDir(), "termination-log")
			going := startWith(t, disk, app.Handoff{Peers: peers, Key: key(sharedKey), Timeout: 5 * time.Second, TerminationLog: log})
			going.apply(configuration(httpSink("crm", crm.URL)))
			if status := going.post("1@example.com"); status != http.StatusOK {
				t.Fatalf("answer %d", status)
			}
			if err := going.stop(); err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(log)
			if err != nil || !strings.HasPrefix(string(text), app.StrandedPrefix+"1 undelivered") || !strings.Contains(string(text), tc.says) {
				t.Errorf("termination log: %s, %v", text, err)
			}
			if other != nil && other.Status() != (app.Status{}) {
				t.Errorf("the other pod holds %+v", other.Status())
			}
			again := start(t, disk)
			crm.decide(http.StatusOK)
			again.apply(configuration(httpSink("crm", crm.URL)))
			eventually(t, "the disk still has the event", func() bool { return crm.has("1@example.com") })
		})
	}
}

// unreadable is a journal whose store cannot be opened.
type unreadable struct{ *embedded.Journal }

func (unreadable) Recall() error { return journal.ErrUnavailable }

func TestAJournalThatCannotBeReadIsSaid(t *testing.T) {
	t.Parallel()
	log := filepath.Join(t.TempDir(), "termination-log")
	going := startOn(t, unreadable{open(t, vfs.NewMem())}, app.Handoff{Peers: "127.0.0.1:1", Key: key(sharedKey), Timeout: time.Minute, TerminationLog: log})
	if err := going.stop(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(log)
	if err != nil || !strings.HasPrefix(string(text), app.StrandedPrefix+"the journal of this pod cannot be read") {
		t.Errorf("termination log: %s, %v", text, err)
	}
}

// TestAPodThatStopsTakesNothingOver makes sure that a pod is not given what it could not pass on.
func TestAPodThatStopsTakesNothingOver(t *testing.T) {
	t.Parallel()
	crm := newDestination(t)
	crm.decide(http.StatusServiceUnavailable)
	first := startWith(t, vfs.NewMem(), app.Handoff{Peers: "127.0.0.1:1", Key: key(sharedKey), Timeout: 10 * time.Second})
	first.apply(configuration(httpSink("crm", crm.URL)))
	if status := first.post("1@example.com"); status != http.StatusOK {
		t.Fatalf("answer %d", status)
	}
	stopped := make(chan error, 1)
	go func() { stopped <- first.stop() }()
	eventually(t, "the first pod stops", func() bool { return !first.Ready() })
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "http://"+first.back+"/v1/handoff", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	response, err := first.httpClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("answer %d", response.StatusCode)
	}
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
}

// deadLetterIDs returns the IDs of the dead letters.
func (r *receiver) deadLetterIDs() []uint64 {
	r.t.Helper()
	var ids []uint64
	err := r.client.DeadLetters(r.t.Context(), func(d *admin.DeadLetter) error {
		ids = append(ids, d.ID)
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return ids
}

// TestDeadLettersAreLeftAloneDuringAHandOff asks a pod that hands off to retry what it may have given away already.
func TestDeadLettersAreLeftAloneDuringAHandOff(t *testing.T) {
	t.Parallel()
	asked, release := make(chan struct{}), make(chan struct{})
	ask := sync.OnceFunc(func() { close(asked) })
	behind := &url.URL{Scheme: "http"}
	forward := httputil.NewSingleHostReverseProxy(behind)
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Path == handoff.Path {
			ask()
			<-release
		}
		forward.ServeHTTP(w, q)
	}))
	t.Cleanup(slow.Close)
	o := takesOver()
	o.Self = netip.MustParseAddrPort(slow.Listener.Addr().String()) // parcels are for the pod that they are addressed to
	staying := startWith(t, vfs.NewMem(), o)
	behind.Host = staying.back
	staying.apply(configuration())
	going := startWith(t, vfs.NewMem(), patientHandoff(slow.Listener.Addr().String()))
	going.apply(configuration())
	if status := going.postBody(`{"event":`); status != http.StatusOK {
		t.Fatalf("answer %d", status)
	}
	ids := going.deadLetterIDs()
	stopped := make(chan error, 1)
	go func() { stopped <- going.stop() }()
	<-asked
	for name, act := range map[string]func(context.Context, []uint64) (admin.Result, error){"retry": going.client.Retry, "drop": going.client.Drop} {
		if result, err := act(t.Context(), ids); err == nil || !strings.Contains(err.Error(), "about to stop") {
			t.Errorf("%s: %+v, %v", name, result, err)
		}
	}
	close(release)
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
	if ids := staying.deadLetterIDs(); len(ids) != 1 {
		t.Errorf("the pod that stays has the dead letters %v", ids)
	}
}

// slowDrops is a journal that drops dead letters when it is told to.
type slowDrops struct {
	*embedded.Journal
	asked, release, recalled chan struct{}
}

func (j *slowDrops) DeadLetters() journal.DeadLetters {
	return &slowDropper{j.Journal.DeadLetters(), j}
}

func (j *slowDrops) Recall() error {
	close(j.recalled)
	return j.Journal.Recall()
}

type slowDropper struct {
	journal.DeadLetters
	journal *slowDrops
}

func (d *slowDropper) Drop(ctx context.Context, ids []uint64) (int, error) {
	close(d.journal.asked)
	<-d.journal.release
	return d.DeadLetters.Drop(ctx, ids)
}

// TestAHandOffWaitsForWhatIsDoneToDeadLetters stops a pod while it drops one of its two dead letters.
func TestAHandOffWaitsForWhatIsDoneToDeadLetters(t *testing.T) {
	t.Parallel()
	j := &slowDrops{Journal: open(t, vfs.NewMem()), asked: make(chan struct{}), release: make(chan struct{}), recalled: make(chan struct{})}
	going := startOn(t, j, app.Handoff{Peers: "127.0.0.1:1", Key: key(sharedKey), Timeout: time.Millisecond})
	going.apply(configuration())
	for i := range 2 {
		if status := going.postBody(fmt.Sprintf(`not JSON %d`, i)); status != http.StatusOK {
			t.Fatalf("answer %d", status)
		}
	}
	ids := going.deadLetterIDs()
	dropped := make(chan error, 1)
	go func() {
		result, err := going.client.Drop(context.Background(), ids[:1])
		if err == nil && result.Done != 1 {
			err = fmt.Errorf("%+v", result)
		}
		dropped <- err
	}()
	<-j.asked
	stopped := make(chan error, 1)
	go func() { stopped <- going.stop() }()
	select {
	case <-j.recalled:
		t.Error("the hand-off begins while a dead letter is being dropped")
	case <-time.After(200 * time.Millisecond): // a stop that does not wait is quicker than that
	}
	close(j.release)
	if err := <-dropped; err != nil {
		t.Errorf("the drop: %v", err)
	}
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
	<-j.recalled
}

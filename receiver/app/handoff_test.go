package app_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mailvane/mailvane/receiver/admin"
	"github.com/mailvane/mailvane/receiver/app"
	"github.com/mailvane/mailvane/receiver/config"
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
			going := startWith(t, disk, app.Handoff{Peers: peers, Key: key(sharedKey), Timeout: time.Second, TerminationLog: log})
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

// TestAPodThatStopsTakesNothingOver makes sure that a pod is not given what it could not pass on.
func TestAPodThatStopsTakesNothingOver(t *testing.T) {
	t.Parallel()
	crm := newDestination(t)
	crm.decide(http.StatusServiceUnavailable)
	first := startWith(t, vfs.NewMem(), app.Handoff{Peers: "127.0.0.1:1", Key: key(sharedKey), Timeout: 2 * time.Second})
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

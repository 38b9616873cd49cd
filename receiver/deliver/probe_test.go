package deliver_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/deliver"
	"github.com/mailvane/mailvane/receiver/sink"
)

// session is a sink that connects first and can be asked about its connection.
type session struct {
	*recorder
	mu     sync.Mutex
	start  func() error
	probe  func() error
	starts []time.Time
	probes []time.Time
}

func (s *session) Start(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.starts = append(s.starts, time.Now())
	if s.start == nil {
		return nil
	}
	return s.start()
}

func (s *session) Probe(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.probes = append(s.probes, time.Now())
	if s.probe == nil {
		return nil
	}
	return s.probe()
}

func (s *session) counts() (starts, probes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.starts), len(s.probes)
}

func TestNothingIsSentBeforeTheSinkHasConnected(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		back := time.Now().Add(10 * time.Minute)
		s := &session{recorder: b.sink, start: func() error {
			if time.Now().Before(back) {
				return sink.Because(sink.CredentialRefused, errors.New("SASL authentication failed"))
			}
			return nil
		}}
		b.use = s
		b.append("a-1")
		w := b.start(defaults(), "")
		time.Sleep(5 * time.Minute)
		h := w.Health()
		if b.sink.sent() != 0 || h.Healthy || h.LastError != "SASL authentication failed" || h.Connection.Cause != sink.CredentialRefused {
			t.Errorf("%d sends before the sink has connected; %+v", b.sink.sent(), h)
		}
		b.wait(10 * time.Minute)
		if h := w.Health(); !h.Healthy || !h.Connection.Connected {
			t.Errorf("%+v", h)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		// Each wait is between a half and the whole of one that doubles, up to 15 s.
		wait := 500 * time.Millisecond
		for i := 1; i < len(s.starts); i++ {
			if gap := s.starts[i].Sub(s.starts[i-1]); gap < wait/2 || gap > wait {
				t.Errorf("start %d came after %v, want up to %v and no less than half of it", i, gap, wait)
				return
			}
			wait = min(2*wait, 15*time.Second)
		}
	})
}

func TestAStopEndsTheWaitForAConnection(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		b.use = &session{recorder: b.sink, start: func() error { return errors.New("no route to host") }}
		b.append("a-1")
		b.start(defaults(), "")
		time.Sleep(time.Hour)
		started := time.Now()
		b.stop()
		if waited := time.Since(started); waited > time.Second {
			t.Errorf("the worker ended after %v", waited)
		}
	})
}

// TestAProbeTellsBeforeTheFirstEvent has nothing to send to a destination that would not take it.
func TestAProbeTellsBeforeTheFirstEvent(t *testing.T) {
	for name, tc := range map[string]struct {
		err  error
		want deliver.Connection
	}{
		"well":              {nil, deliver.Connection{Connected: true}},
		"wrong credential":  {sink.Because(sink.CredentialRefused, errors.New("access denied")), deliver.Connection{Cause: sink.CredentialRefused, Message: "access denied"}},
		"missing topic":     {sink.Because(sink.DestinationNotFound, errors.New("unknown topic")), deliver.Connection{Cause: sink.DestinationNotFound, Message: "unknown topic"}},
		"unreachable":       {sink.Unreachable(errors.New("connection refused")), deliver.Connection{Cause: sink.DestinationUnreachable, Message: "connection refused"}},
		"something else":    {errors.New("disk quota\nexceeded"), deliver.Connection{Cause: sink.DeliveryFailing, Message: "disk quota exceeded"}},
		"both, and wrapped": {fmt.Errorf("probe: %w", sink.Permanent(sink.Because(sink.CredentialRefused, errors.New("no")))), deliver.Connection{Cause: sink.CredentialRefused, Message: "probe: no"}},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, b *bench) {
				b.use = &session{recorder: b.sink, probe: func() error { return tc.err }}
				w := b.start(defaults(), "")
				time.Sleep(5 * time.Second)
				if tc.err != nil && w.Health().Connection != (deliver.Connection{}) {
					t.Errorf("an outage of seconds is told: %+v", w.Health().Connection)
				}
				time.Sleep(10 * time.Second)
				h := w.Health()
				h.Connection.Since = time.Time{}
				if diff := cmp.Diff(tc.want, h.Connection); diff != "" {
					t.Error(diff)
				}
				if !h.Healthy {
					t.Error("a probe counts as a send that failed")
				}
			})
		})
	}
}

func TestProbesAreSeldom(t *testing.T) {
	for name, tc := range map[string]struct {
		probe   func() error
		traffic time.Duration
		most    int
		least   int
	}{
		"idle":         {nil, 0, 13, 11},
		"failing":      {func() error { return errors.New("no") }, 0, 121, 100},
		"with traffic": {nil, time.Minute, 2, 1},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, b *bench) {
				s := &session{recorder: b.sink, probe: tc.probe}
				b.use = s
				b.start(defaults(), "")
				for i := range 60 {
					time.Sleep(time.Minute)
					if tc.traffic > 0 {
						b.append(fmt.Sprintf("a-%d", i))
					}
				}
				if _, probes := s.counts(); probes > tc.most || probes < tc.least {
					t.Errorf("%d probes in an hour, want %d to %d", probes, tc.least, tc.most)
				}
			})
		})
	}
}

// TestAProbeDoesNotContradictSends has a destination that can be reached and takes nothing.
func TestAProbeDoesNotContradictSends(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		s := &session{recorder: b.sink}
		b.use = s
		b.sink.decide(func(context.Context, []string) error {
			return sink.Because(sink.DestinationNotFound, errors.New("answered 404: no such list: to@example.com"))
		})
		b.append("a-1")
		w := b.start(defaults(), "")
		for range 60 {
			time.Sleep(time.Minute)
			synctest.Wait()
			if c := w.Health().Connection; c.Connected || c.Cause != sink.DestinationNotFound || c.Message != "" {
				t.Fatalf("told: %+v", c)
			}
		}
		b.sink.decide(nil)
		b.wait(time.Minute)
		if c := w.Health().Connection; !c.Connected || c.Cause != "" {
			t.Errorf("after the sink takes events: %+v", c)
		}
	})
}

// TestAShortOutageIsNotTold restarts a destination.
func TestAShortOutageIsNotTold(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		b.append("a-1")
		w := b.start(defaults(), "")
		b.wait(time.Second)
		since := w.Health().Connection.Since
		back := time.Now().Add(5 * time.Second)
		b.sink.decide(func(context.Context, []string) error {
			if time.Now().Before(back) {
				return sink.Unreachable(errors.New("connection refused"))
			}
			return nil
		})
		b.append("a-2")
		for range 4 {
			time.Sleep(time.Second)
			if c := w.Health().Connection; !c.Connected || !c.Since.Equal(since) {
				t.Errorf("told: %+v", c)
			}
		}
		b.wait(time.Minute)
	})
}

package deliver_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/sink"
)

// teller is a sink that answers for each message.
type teller struct {
	*recorder
	// refuse says why a message is not taken at its n-th attempt, from 1 on; nil = it is.
	refuse func(id string, attempt int) error

	mu       sync.Mutex
	attempts map[string]int
	sizes    []int
}

func (s *teller) Send(_ context.Context, batch sink.Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.attempts == nil {
		s.attempts = map[string]int{}
	}
	s.sizes = append(s.sizes, len(batch.Messages))
	failed := map[int]error{}
	for i, m := range batch.Messages {
		s.attempts[m.ID]++
		if err := s.refuse(m.ID, s.attempts[m.ID]); err != nil {
			if failed[i] = err; errors.Is(err, errUnexplained) {
				failed[i] = nil
			}
			continue
		}
		s.recorder.mu.Lock()
		s.ids = append(s.ids, m.ID)
		s.recorder.mu.Unlock()
	}
	return sink.Partial(failed)
}

// TestWhatASinkHasTakenIsNotSentAgain has some of 64 messages fail, by every class.
func TestWhatASinkHasTakenIsNotSentAgain(t *testing.T) {
	var ids []string // of which each has a key of its own
	for i := range 64 {
		ids = append(ids, fmt.Sprintf("k%02d-a", i))
	}
	failed := errors.New("entry refused")
	bad := func(id string) bool { return id == ids[3] || id == ids[20] || id == ids[63] }
	for name, tc := range map[string]struct {
		refuse func(id string, attempt int) error
		dead   int
		// again is how often a message that failed is sent.
		again  int
		within time.Duration
	}{
		"for good": {func(id string, _ int) error {
			if bad(id) {
				return sink.Permanent(failed)
			}
			return nil
		}, 3, 1, time.Second},
		"for the moment": {func(id string, attempt int) error {
			if bad(id) && attempt < 3 {
				return failed
			}
			return nil
		}, 0, 3, 10 * time.Second},
		"for now, since there are too many": {func(id string, attempt int) error {
			if bad(id) && attempt < 2 {
				return sink.Throttled(failed, 20*time.Second)
			}
			return nil
		}, 0, 2, 90 * time.Second},
		"since a part of it is away": {func(id string, attempt int) error {
			if bad(id) && attempt < 2 {
				return sink.Unreachable(failed)
			}
			return nil
		}, 0, 2, 10 * time.Second},
		"without a reason": {func(id string, attempt int) error {
			if bad(id) && attempt < 2 {
				return errUnexplained
			}
			return nil
		}, 0, 2, 10 * time.Second},
	} {
		for _, ordering := range []string{config.Unordered, config.ByKey} {
			t.Run(name+" "+ordering, func(t *testing.T) {
				run(t, func(t *testing.T, b *bench) {
					s := &teller{recorder: b.sink, refuse: tc.refuse}
					b.use = s
					b.append(ids...)
					d := defaults()
					d.MaxInFlight, d.Ordering = 1, ordering
					b.start(d, "")
					b.wait(tc.within)
					for _, id := range ids {
						want := 1
						if bad(id) {
							want = tc.again
						}
						if s.attempts[id] != want {
							t.Errorf("%s was sent %d times, want %d", id, s.attempts[id], want)
						}
					}
					letters := b.deadLetters()
					if len(letters) != tc.dead || slices.ContainsFunc(letters, func(l journal.DeadLetter) bool {
						return !bad(l.EventID) || l.Cause != journal.CauseRefused || l.Reason != "entry refused"
					}) {
						t.Errorf("dead letters: %+v", letters)
					}
				})
			})
		}
	}
}

// errUnexplained stands for a failure that a sink does not explain.
var errUnexplained = errors.New("")

// TestPartsThatKeepFailingDoNotMakeSendsShort has half of the events fail for a while at a sink that takes the others.
func TestPartsThatKeepFailingDoNotMakeSendsShort(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		back := time.Now().Add(2 * time.Minute)
		odd := func(id string) bool { return id[len(id)-1]%2 == 1 }
		s := &teller{recorder: b.sink, refuse: func(id string, _ int) error {
			if odd(id) && time.Now().Before(back) {
				return errors.New("the leader of this partition is away")
			}
			return nil
		}}
		b.use = s
		b.append(numbered("a", 320)...)
		d := defaults()
		d.MaxInFlight, d.MaxBackoffSeconds = 1, 5
		b.start(d, "")
		time.Sleep(time.Minute)
		if got := len(b.sink.arrived()); got != 160 {
			t.Errorf("%d of 160 have arrived", got)
		}
		b.wait(5 * time.Minute)
		single := 0
		for _, size := range s.sizes {
			if size == 1 {
				single++
			}
		}
		if single > len(s.sizes)/2 {
			t.Errorf("%d of %d sends had one event, though the sink tells apart what fails", single, len(s.sizes))
		}
	})
}

// TestAPartialErrorThatSaysNothingConcernsAll has a sink name messages that it was not given, or none.
func TestAPartialErrorThatSaysNothingConcernsAll(t *testing.T) {
	for name, failed := range map[string]map[int]error{
		"none":           nil,
		"behind the end": {0: nil, 16: sink.Permanent(errors.New("no"))},
		"negative":       {-1: sink.Permanent(errors.New("no"))},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, b *bench) {
				back := time.Now().Add(time.Second)
				b.sink.decide(func(context.Context, []string) error {
					if time.Now().Before(back) {
						return &sink.PartialError{Failed: failed}
					}
					return nil
				})
				ids := numbered("a", 16)
				b.append(ids...)
				b.start(defaults(), "")
				b.wait(time.Minute)
				wantSet(t, ids, b.sink.arrived())
				if n := len(b.deadLetters()); n != 0 {
					t.Errorf("%d dead letters", n)
				}
			})
		})
	}
}

// TestAStoppedWorkerKnowsWhatWasTaken stops a worker during a send of which a part was taken.
func TestAStoppedWorkerKnowsWhatWasTaken(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		ids := numbered("a", 16)
		stopped := make(chan struct{})
		b.sink.decide(func(_ context.Context, batch []string) error {
			if b.sink.sent() == 1 {
				<-stopped
				time.Sleep(2 * time.Second) // longer than sends may go on
				failed := map[int]error{}
				for i := 8; i < len(batch); i++ {
					failed[i] = errors.New("connection closed")
				}
				return sink.Partial(failed)
			}
			return nil
		})
		b.append(ids...)
		b.start(defaults(), "")
		synctest.Wait()
		close(stopped)
		b.stop()
		b.start(defaults(), "")
		b.wait(time.Minute)
		wantSet(t, ids[8:], b.sink.arrived())
	})
}

package deliver_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/sink"
)

func TestEverythingArrivesInBatches(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		ids := numbered("a", 100)
		b.append(ids...)
		d := defaults()
		d.MaxInFlight = 1
		b.start(d, "")
		b.wait(time.Minute)
		if diff := cmp.Diff(ids, b.sink.arrived()); diff != "" {
			t.Errorf("arrived (-want +got):\n%s", diff)
		}
		if b.sink.sent() != 7 {
			t.Errorf("%d sends, want 7 of up to 16 events", b.sink.sent())
		}
	})
}

func TestOnlyTheRefusedEventOfABatchDies(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		ids := numbered("a", 16)
		bad := ids[5]
		b.sink.decide(func(_ context.Context, ids []string) error {
			if slices.Contains(ids, bad) {
				return sink.Permanent(errors.New("answered 422: no such list"))
			}
			return nil
		})
		b.append(ids...)
		b.start(defaults(), "")
		b.wait(time.Minute)
		wantSet(t, append(append([]string{}, ids[:5]...), ids[6:]...), b.sink.arrived())
		letters := b.deadLetters()
		if len(letters) != 1 || letters[0].EventID != bad || letters[0].Cause != journal.CauseRefused ||
			letters[0].Reason != "answered 422: no such list" || letters[0].Endpoint != "mail/endpoint" || letters[0].Sink != sinkName {
			t.Errorf("dead letters: %+v", letters)
		}
		if b.sink.sent() > 1+2*4 {
			t.Errorf("%d sends to find one event of 16", b.sink.sent())
		}
	})
}

func TestAnOutageLosesNothingAndCountsAgainstNobody(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		back := time.Now().Add(2 * time.Hour)
		b.sink.decide(func(context.Context, []string) error {
			if time.Now().Before(back) {
				return errors.New("connection refused")
			}
			return nil
		})
		ids := numbered("a", 500)
		b.append(ids...)
		w := b.start(defaults(), "")
		time.Sleep(time.Hour)
		if h := w.Health(); h.Healthy || h.LastError != "connection refused" {
			t.Errorf("health during the outage: %+v", h)
		}
		if b.sink.sent() > 600 {
			t.Errorf("%d sends in an hour of outage", b.sink.sent())
		}
		time.Sleep(time.Hour)
		b.wait(time.Minute)
		wantSet(t, ids, b.sink.arrived())
		if n := len(b.deadLetters()); n != 0 {
			t.Errorf("%d dead letters", n)
		}
		if !w.Health().Healthy {
			t.Error("not healthy after the outage")
		}
	})
}

func TestRetryAfterIsHonouredAndCapped(t *testing.T) {
	for name, tc := range map[string]struct{ after, atLeast, atMost time.Duration }{
		"honoured": {20 * time.Second, 20 * time.Second, 2 * time.Minute},
		"capped":   {1000 * time.Hour, 300 * time.Second, 20 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, b *bench) {
				first := true
				var again time.Time
				b.sink.decide(func(context.Context, []string) error {
					if first {
						first = false
						return sink.Throttled(errors.New("answered 429"), tc.after)
					}
					again = time.Now()
					return nil
				})
				started := time.Now()
				b.append("a-1")
				b.start(defaults(), "")
				b.wait(2 * tc.atMost)
				if waited := again.Sub(started); waited < tc.atLeast || waited > tc.atMost {
					t.Errorf("tried again after %v", waited)
				}
			})
		})
	}
}

func TestAnEventThatBreaksTheSinkEndsAlone(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		ids := numbered("a", 64)
		poison := ids[3]
		b.sink.decide(func(_ context.Context, ids []string) error {
			if slices.Contains(ids, poison) {
				return errors.New("answered 500")
			}
			return nil
		})
		b.append(ids...)
		d := defaults()
		d.MaxAgeSeconds = 3600
		b.start(d, "")
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		wantSet(t, append(append([]string{}, ids[:3]...), ids[4:]...), b.sink.arrived())
		b.wait(2 * time.Hour)
		letters := b.deadLetters()
		if len(letters) != 1 || letters[0].EventID != poison || letters[0].Cause != journal.CauseExpired {
			t.Errorf("dead letters: %+v", letters)
		}
	})
}

func TestEventsThatBreakTheSinkAreNotAllItIsOffered(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		ids := numbered("a", 20)
		poison := ids[:3]
		b.sink.decide(func(_ context.Context, ids []string) error {
			for _, id := range poison {
				if slices.Contains(ids, id) {
					return errors.New("answered 500")
				}
			}
			return nil
		})
		b.append(ids...)
		d := defaults()
		d.MaxInFlight, d.BatchMaxEvents = 1, 1
		b.start(d, "")
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		wantSet(t, ids[3:], b.sink.arrived())
	})
}

func TestASinkThatHangsHoldsOnlyItsSlot(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		ids := numbered("a", 40)
		b.sink.decide(func(ctx context.Context, batch []string) error {
			if slices.Contains(batch, ids[0]) {
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		})
		b.append(ids...)
		d := defaults()
		d.MaxInFlight, d.BatchMaxEvents, d.TimeoutSeconds = 2, 1, 60
		b.start(d, "")
		time.Sleep(time.Second)
		synctest.Wait()
		wantSet(t, ids[1:], b.sink.arrived())
	})
}

func TestDeadLettersGoToTheirSink(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		b.sink.decide(func(context.Context, []string) error { return sink.Permanent(errors.New("answered 410")) })
		b.append("a-1")
		b.start(defaults(), "mail/dead")
		b.wait(time.Minute)
		diverted, err := b.journal.Queue("mail/dead").Fetch(context.Background(), journal.Limit{Events: 10})
		if err != nil || len(diverted) != 1 {
			t.Fatalf("diverted: %v, %v", diverted, err)
		}
		envelope, err := event.ParseEnvelope(diverted[0].Payload)
		if err != nil || envelope.ID != "a-1" || envelope.DeadLetterSink != sinkName || envelope.DeadLetterReason != "answered 410" {
			t.Errorf("envelope %+v, %v", envelope.Attributes, err)
		}
		if n := len(b.deadLetters()); n != 0 {
			t.Errorf("%d dead letters in the journal", n)
		}
	})
}

func TestADivertedEventIsNotDivertedAgain(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		b.sink.decide(func(context.Context, []string) error { return sink.Permanent(errors.New("answered 410")) })
		b.append("a-1")
		b.start(defaults(), sinkName) // its own dead-letter sink: the shortest circle
		b.wait(time.Minute)
		if letters := b.deadLetters(); len(letters) != 1 || letters[0].Cause != journal.CauseRefused {
			t.Errorf("dead letters: %+v", letters)
		}
	})
}

func TestAStoppedWorkerGivesItsLeasesBack(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		b.sink.decide(func(ctx context.Context, _ []string) error {
			<-ctx.Done()
			return ctx.Err()
		})
		ids := numbered("a", 200)
		b.append(ids...)
		d := defaults()
		d.BatchMaxEvents = 1 // more is leased than is being sent
		b.start(d, "")
		time.Sleep(100 * time.Millisecond)
		b.stop()
		b.sink.decide(nil)
		b.start(d, "")
		b.wait(time.Minute)
		wantSet(t, ids, b.sink.arrived())
	})
}

func TestTheRateIsLimited(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		b.append(numbered("a", 300)...)
		d := defaults()
		d.EventsPerSecond, d.BatchMaxEvents = 10, 10
		started := time.Now()
		b.start(d, "")
		b.wait(time.Hour)
		if took := time.Since(started); took < 28*time.Second || took > 40*time.Second {
			t.Errorf("300 events at 10/s took %v", took)
		}
	})
}

// TestAStopDoesNotWaitForASendThatHangs stops a worker whose sink does not heed that its time is over.
func TestAStopDoesNotWaitForASendThatHangs(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		release := make(chan struct{})
		b.sink.decide(func(context.Context, []string) error {
			<-release
			return nil
		})
		b.append("a-1")
		b.start(defaults(), "")
		time.Sleep(time.Second)
		started := time.Now()
		b.stop()
		if waited := time.Since(started); waited > time.Minute || b.sink.sent() != 1 {
			t.Errorf("the worker ended after %v and %d sends", waited, b.sink.sent())
		}
		close(release)
		synctest.Wait()
	})
}

// TestAStopDoesNotWaitForAJournalThatHangs gives leases back to a journal that does not answer.
func TestAStopDoesNotWaitForAJournalThatHangs(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		b.seen = &hooked{Journal: b.journal, settle: func(ctx context.Context, _ []journal.Settlement) error {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(time.Hour):
				return nil
			}
		}}
		b.sink.decide(func(ctx context.Context, _ []string) error {
			<-ctx.Done()
			return ctx.Err()
		})
		b.append(numbered("a", 40)...)
		d := defaults()
		d.BatchMaxEvents, d.MaxInFlight = 1, 1
		b.start(d, "")
		time.Sleep(time.Second)
		started := time.Now()
		b.stop()
		if waited := time.Since(started); waited > time.Minute {
			t.Errorf("the worker ended after %v", waited)
		}
	})
}

// TestAnEventThatHasTheSinkAskToWaitEndsAlone has one event of a batch answered with 503 and Retry-After.
func TestAnEventThatHasTheSinkAskToWaitEndsAlone(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		ids := numbered("a", 16)
		b.sink.decide(func(_ context.Context, batch []string) error {
			if slices.Contains(batch, ids[3]) {
				return sink.Throttled(errors.New("answered 503"), time.Second)
			}
			return nil
		})
		b.append(ids...)
		d := defaults()
		d.MaxAgeSeconds = 3600
		b.start(d, "")
		b.wait(2 * time.Hour)
		wantSet(t, append(append([]string{}, ids[:3]...), ids[4:]...), b.sink.arrived())
		if letters := b.deadLetters(); len(letters) != 1 || letters[0].EventID != ids[3] {
			t.Errorf("dead letters: %+v", letters)
		}
	})
}

// lagging is a journal by whose clock a time has not come yet, which is what one says while the machine's clock is ahead.
type lagging struct {
	journal.Journal
	behind time.Duration
}

func (l *lagging) Present() time.Time { return l.Journal.Present().Add(-l.behind) }

// TestAClockThatIsAheadGivesNothingUp has the clock of the machine four days ahead of that by which the journal tells ages.
func TestAClockThatIsAheadGivesNothingUp(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		b.append("a-1") // by the journal's clock, a moment ago
		b.seen = &lagging{b.journal, 4 * 24 * time.Hour}
		time.Sleep(4 * 24 * time.Hour)
		b.start(defaults(), "")
		b.wait(time.Minute)
		wantSet(t, []string{"a-1"}, b.sink.arrived())
		if letters := b.deadLetters(); len(letters) != 0 {
			t.Errorf("dead letters: %+v", letters)
		}
	})
}

// TestADeadLetterWithoutRoomStays has an event refused that should go to another sink, when the journal takes nothing more.
func TestADeadLetterWithoutRoomStays(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		b.seen = &full{b.journal, time.Now().Add(time.Hour)}
		b.sink.decide(func(context.Context, []string) error { return sink.Permanent(errors.New("answered 410")) })
		b.append("a-1")
		b.start(defaults(), "mail/dead")
		b.wait(time.Minute)
		if letters := b.deadLetters(); len(letters) != 1 || b.sink.sent() != 1 {
			t.Errorf("%d dead letters after %d sends, want one after one", len(letters), b.sink.sent())
		}
	})
}

package deliver_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailvane/mailvane/receiver/history"
	"github.com/mailvane/mailvane/receiver/sink"
)

// attempts notes what a recorder is told.
type attempts struct {
	mu  sync.Mutex
	all []history.Attempt
}

func (a *attempts) Attempted(one history.Attempt) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all = append(a.all, one)
}

// of returns what was told of an event, as "Outcome answer".
func (a *attempts) of(id string) (told []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	key := history.KeyOf([]byte(id), []byte("mail/endpoint"))
	for _, one := range a.all {
		if slices.ContainsFunc(one.Events, func(s history.Sent) bool { return s.Key == key && !s.AcceptedAt.IsZero() }) {
			told = append(told, strings.TrimSpace(fmt.Sprint(one.Outcome, " ", one.Answer)))
		}
	}
	return told
}

// TestAttemptsAreTold sends 16 events of which one is refused for good, after a moment in which the sink is away.
func TestAttemptsAreTold(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		ids, away := numbered("a", 16), true
		b.sink.decide(func(_ context.Context, sent []string) error {
			if away {
				away = false
				return errors.New("answered 503:\nad\x1bieu")
			}
			if slices.Contains(sent, ids[5]) {
				return sink.Permanent(errors.New("answered 422: no such list"))
			}
			return nil
		})
		told := &attempts{}
		b.told = told
		b.append(ids...)
		b.start(defaults(), "")
		b.wait(time.Minute)
		for i, id := range ids {
			want := []string{"Failed answered 503: ad ieu", "Delivered"}
			if i == 5 {
				want[1] = "DeadLetter answered 422: no such list"
			}
			if got := told.of(id); !slices.Equal(got, want) {
				t.Errorf("event %d: %q, want %q", i, got, want)
			}
		}
		for _, a := range told.all {
			if a.Sink != sinkName || a.At.IsZero() {
				t.Errorf("%+v", a)
			}
		}
	})
}

// TestPartsOfABatchAreTold has a sink answer for each event.
func TestPartsOfABatchAreTold(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		ids := numbered("a", 4)
		b.use = &teller{recorder: b.sink, refuse: func(id string, attempt int) error {
			switch {
			case id == ids[1]:
				return sink.Permanent(errors.New("refused"))
			case id == ids[2] && attempt == 1:
				return errors.New("later")
			}
			return nil
		}}
		told := &attempts{}
		b.told = told
		b.append(ids...)
		b.start(defaults(), "")
		b.wait(time.Minute)
		for i, want := range []string{"Delivered", "DeadLetter refused", "Failed later,Delivered", "Delivered"} {
			if got := strings.Join(told.of(ids[i]), ","); got != want {
				t.Errorf("event %d: %s, want %s", i, got, want)
			}
		}
	})
}

package deliver_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/config"
)

func TestEventsOfOneKeyArriveInOrder(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		failing := map[string]int{}
		var mu sync.Mutex
		b.sink.decide(func(_ context.Context, ids []string) error {
			mu.Lock()
			defer mu.Unlock()
			for _, id := range ids {
				// Every seventh event of a key fails twice, each at another moment.
				if strings.HasSuffix(id, "7") && failing[id] < 2 {
					failing[id]++
					return errors.New("answered 503")
				}
			}
			return nil
		})
		var ids []string
		for i := range 60 {
			for _, key := range []string{"a", "b", "c"} {
				ids = append(ids, fmt.Sprintf("%s-%04d", key, i))
			}
		}
		b.append(ids...)
		d := defaults()
		d.Ordering, d.MaxInFlight = config.ByKey, 8
		b.start(d, "")
		b.wait(3 * time.Hour)
		wantSet(t, ids, b.sink.arrived())
		last := map[string]string{}
		for _, id := range b.sink.arrived() {
			key, _, _ := strings.Cut(id, "-")
			if id < last[key] {
				t.Errorf("%s arrived after %s", id, last[key])
			}
			last[key] = id
		}
	})
}

func TestOrderOutlivesAChangeOfTheSink(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		fails := 0
		b.sink.decide(func(_ context.Context, _ []string) error {
			if fails++; fails%3 != 0 {
				return errors.New("answered 503")
			}
			return nil
		})
		ids := numbered("a", 100)
		b.append(ids...)
		d := defaults()
		d.Ordering, d.BatchMaxEvents = config.ByKey, 4
		for range 200 {
			b.start(d, "")
			time.Sleep(700 * time.Millisecond)
			b.stop()
		}
		b.sink.decide(nil)
		b.start(d, "")
		b.wait(time.Hour)
		if diff := cmp.Diff(ids, b.sink.arrived()); diff != "" {
			t.Errorf("arrived (-want +got):\n%s", diff)
		}
	})
}

package deliver_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/deliver"
	"github.com/mailvane/mailvane/receiver/journal/embedded"
	"github.com/mailvane/mailvane/receiver/metrics"
	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/httpsink"
)

// destination is an HTTP server that notes what it took, behind a worker with an HTTP sink and a journal on disk.
type destination struct {
	*httptest.Server
	*bench
	mu sync.Mutex
	// answer decides on a request; it is called for one at a time. Nil = 200.
	answer func(w http.ResponseWriter, ids []string, size int)
	took   map[string]int
	// first is, by event, how many requests there had been when it was first taken.
	first map[string]int
	// sizes are the numbers of events of all requests.
	sizes []int
}

// httpDefaults are the defaults of the API with short waits.
func httpDefaults() config.Delivery {
	return config.Delivery{
		MaxInFlight: 32, BatchMaxEvents: 500, BatchMaxBytes: 1 << 20, LingerMilliseconds: 5, TimeoutSeconds: 15,
		InitialBackoffMilliseconds: 1, MaxBackoffSeconds: 0, MaxAgeSeconds: 259_200, Ordering: config.Unordered,
	}
}

func newHTTPDestination(t *testing.T) *destination {
	t.Helper()
	j, err := embedded.Open(embedded.Options{Dir: t.TempDir(), MinFreeBytes: -1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	d := &destination{bench: &bench{t: t, journal: j, seen: j}, took: map[string]int{}, first: map[string]int{}}
	d.Server = httptest.NewServer(http.HandlerFunc(d.serve))
	t.Cleanup(func() {
		d.Close()
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func (d *destination) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	text := body
	if text[0] != '[' {
		text = slices.Concat([]byte("["), body, []byte("]"))
	}
	var events []struct{ ID string }
	if err := json.Unmarshal(text, &events); err != nil {
		panic(err)
	}
	ids := make([]string, 0, len(events))
	for _, e := range events {
		ids = append(ids, e.ID)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sizes = append(d.sizes, len(ids))
	answer := &status{ResponseWriter: w, code: http.StatusOK}
	if d.answer != nil {
		d.answer(answer, ids, len(body))
	}
	if answer.code == http.StatusOK {
		for _, id := range ids {
			if d.took[id]++; d.took[id] == 1 {
				d.first[id] = len(d.sizes)
			}
		}
	}
}

// status is an answer that remembers its status.
type status struct {
	http.ResponseWriter
	code int
}

func (s *status) WriteHeader(code int) {
	s.code = code
	s.ResponseWriter.WriteHeader(code)
}

// deliver starts a worker, which ends with the test.
func (d *destination) deliver(policy config.Delivery, mode string) *deliver.Worker {
	d.t.Helper()
	s, err := httpsink.Kind().New(fmt.Appendf(nil, `{"url":%q,"contentMode":%q}`, d.URL, mode), sink.Environment{})
	if err != nil {
		d.t.Fatal(err)
	}
	w := deliver.New(deliver.Options{
		Name: sinkName, Sink: s, Delivery: policy, Journal: d.seen, Metrics: metrics.New(prometheus.NewRegistry()).Sink(sinkName),
		Logger: slog.New(slog.DiscardHandler), DrainTimeout: time.Second,
	})
	ctx, cancel := context.WithCancel(d.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.Run(ctx)
	}()
	d.t.Cleanup(func() {
		cancel()
		<-done
		if err := s.Close(); err != nil {
			d.t.Error(err)
		}
	})
	return w
}

// patience bounds the wait for events that must arrive. It says nothing of how fast they should.
const patience = 2 * time.Minute

// arrives waits until all of ids have arrived, and returns the sizes of the requests that this has taken: on a slow machine there may be
// any number more before anybody looks.
func (d *destination) arrives(ids []string) []int {
	d.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		d.mu.Lock()
		missing, last := 0, 0
		for _, id := range ids {
			if d.took[id] == 0 {
				missing++
			}
			last = max(last, d.first[id])
		}
		sizes := slices.Clone(d.sizes)
		d.mu.Unlock()
		if missing == 0 {
			return sizes[:last]
		}
		if time.Now().After(deadline) {
			d.t.Fatalf("%d of %d have not arrived; sizes %v", missing, len(ids), sizes)
		}
	}
}

func refuses(code int, bad ...string) func(http.ResponseWriter, []string, int) {
	return func(w http.ResponseWriter, ids []string, _ int) {
		if slices.ContainsFunc(ids, func(id string) bool { return slices.Contains(bad, id) }) {
			w.WriteHeader(code)
		}
	}
}

func takesAtMost(events, code int) func(http.ResponseWriter, []string, int) {
	return func(w http.ResponseWriter, ids []string, _ int) {
		if len(ids) > events {
			w.WriteHeader(code)
		}
	}
}

// TestGoodEventsArriveBesideBadOnes offers events to destinations that take some of them, or not as many at a time. The good ones
// arrive within a number of requests.
func TestGoodEventsArriveBesideBadOnes(t *testing.T) {
	t.Parallel()
	ids := numbered("a", 3000)
	for name, tc := range map[string]struct {
		reason string
		answer func(http.ResponseWriter, []string, int)
		events int
		bad    []string
		change func(*config.Delivery)
		mode   string
		most   int
	}{
		"two, one bad": {
			reason: "three requests find it", answer: refuses(500, ids[0]), events: 2, bad: ids[:1], most: 4,
			change: func(c *config.Delivery) { c.BatchMaxEvents = 100 },
		},
		"two, one at a time": {
			reason: "the half of two is one", answer: takesAtMost(1, 503), events: 2, most: 3,
			change: func(c *config.Delivery) { c.BatchMaxEvents = 100 },
		},
		"40, one bad": {
			reason: "each halving costs a failure and a success", answer: refuses(500, ids[17]), events: 40, bad: ids[17:18], most: 24,
		},
		"40, one has the destination ask to wait": {
			reason: "who asks to wait may choke on one event", events: 40, bad: ids[17:18], most: 24,
			answer: func(w http.ResponseWriter, batch []string, size int) {
				w.Header().Set("Retry-After", "1")
				refuses(503, ids[17])(w, batch, size)
			},
			change: func(c *config.Delivery) { c.MaxInFlight = 1 },
		},
		"101, 100 at a time": {reason: "two halves and one", answer: takesAtMost(100, 504), events: 101, most: 4},
		"3000, 100 at a time": {
			reason: "48 sends of 62 pass; beside them are the halvings, and trials that become rarer", answer: takesAtMost(100, 504), events: 3000, most: 120,
		},
		"3000, 64 KiB at a time": {
			reason: "a connection that is reset is an answer, too", events: 3000, most: 250,
			answer: func(_ http.ResponseWriter, _ []string, size int) {
				if size > 64<<10 {
					panic(http.ErrAbortHandler)
				}
			},
		},
		"100 bad ones at the head, batched": {
			reason: "others are offered when a bad one has failed", answer: refuses(500, ids[:100]...), events: 1000, bad: ids[:100], most: 700,
		},
		"100 bad ones at the head, one at a time": {
			reason: "others are offered when a bad one has failed", answer: refuses(500, ids[:100]...), events: 400, bad: ids[:100], most: 900,
			mode: "Structured", change: func(c *config.Delivery) { c.MaxInFlight = 1 },
		},
		"by key": {
			reason: "only the key of the bad event waits", answer: refuses(500, ids[3]), events: 40, bad: ids[3:4], most: 24,
			change: func(c *config.Delivery) { c.Ordering = config.ByKey },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newHTTPDestination(t)
			d.answer = tc.answer
			policy, mode, offered := httpDefaults(), "Batched", ids[:tc.events]
			if tc.change != nil {
				tc.change(&policy)
			}
			if tc.mode != "" {
				mode = tc.mode
			}
			if policy.Ordering == config.ByKey { // a key for each, so that none waits for the bad one
				offered, tc.bad = []string{}, []string{"k3-0003"}
				for i := range tc.events {
					offered = append(offered, fmt.Sprintf("k%d-%04d", i, i))
				}
				d.answer = refuses(500, tc.bad...)
			}
			d.append(offered...)
			d.deliver(policy, mode)
			good := slices.DeleteFunc(slices.Clone(offered), func(id string) bool { return slices.Contains(tc.bad, id) })
			if sizes := d.arrives(good); len(sizes) > tc.most {
				t.Errorf("%s: %d requests, want at most %d; sizes %v", tc.reason, len(sizes), tc.most, sizes)
			}
			if n := len(d.deadLetters()); n > 0 {
				t.Errorf("%d dead letters", n)
			}
		})
	}
}

// TestABacklogDrainsWhileEventsCome has an outage behind it and a destination that takes 100 events at a time.
func TestABacklogDrainsWhileEventsCome(t *testing.T) {
	t.Parallel()
	d := newHTTPDestination(t)
	d.answer = func(w http.ResponseWriter, ids []string, size int) {
		if len(d.sizes) <= 6 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		takesAtMost(100, http.StatusGatewayTimeout)(w, ids, size)
	}
	backlog, later := numbered("a", 3000), numbered("b", 100)
	d.append(backlog...)
	d.deliver(httpDefaults(), "Batched")
	for _, id := range later {
		d.append(id)
		d.arrives(nil)
	}
	// Each of the later events may come alone.
	if sizes := d.arrives(slices.Concat(backlog, later)); len(sizes) > 320 {
		t.Errorf("%d requests for 3,100 events: %v", len(sizes), sizes)
	}
}

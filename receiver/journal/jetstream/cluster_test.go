package jetstream_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	client "github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/jetstream"
	"github.com/mailvane/mailvane/test/nats"
)

const sinkA, sinkB = "mail/a", "mail/b"

func entry(id string, sinks ...string) journal.Entry {
	return journal.Entry{DedupeKeys: []string{id}, OrderingKey: "key", Sinks: sinks, AcceptedAt: time.UnixMilli(1_700_000_000_000).UTC(), Payload: []byte(id)}
}

func batch(entries ...journal.Entry) journal.Batch { return journal.Batch{Entries: entries} }

// load appends events one after the other to journals in turn, as senders do that retry, until it is stopped, and remembers
// which were acknowledged.
type load struct {
	journals []journal.Journal
	mu       sync.Mutex
	acked    map[string]struct{}
	stop     context.CancelFunc
	group    sync.WaitGroup
}

func startLoad(t *testing.T, writers int, journals ...journal.Journal) *load {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	l := &load{journals: journals, acked: map[string]struct{}{}, stop: stop}
	for w := range writers {
		l.group.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				l.send(ctx, fmt.Sprintf("%d-%d", w, n), n)
			}
		})
	}
	return l
}

func (l *load) send(ctx context.Context, id string, n int) {
	for attempt := n; ctx.Err() == nil; attempt++ {
		_, err := l.journals[attempt%len(l.journals)].Append(ctx, batch(entry(id, sinkA, sinkB)))
		if err == nil {
			l.mu.Lock()
			l.acked[id] = struct{}{}
			l.mu.Unlock()
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (l *load) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.acked)
}

// grows waits until some more events were acknowledged than there are now.
func (l *load) grows(t *testing.T) {
	t.Helper()
	from := l.count()
	eventually(t, "events are acknowledged", func() bool { return l.count() > from+50 })
}

func (l *load) end() map[string]struct{} {
	l.stop()
	l.group.Wait()
	return l.acked
}

// wantAll delivers what each sink is owed until everything that was acknowledged has come.
func wantAll(t *testing.T, j journal.Journal, acked map[string]struct{}) {
	t.Helper()
	for _, sink := range []string{sinkA, sinkB} {
		left := maps.Clone(acked)
		sequences := deliverUntil(t, j, sink, func(id string) bool { delete(left, id); return len(left) == 0 })
		if len(left) > 0 {
			t.Errorf("%s lost %d of %d acknowledged events", sink, len(left), len(acked))
		}
		for id, numbers := range sequences {
			if len(numbers) > 1 {
				t.Errorf("%s has %s more than once, as messages %v of the stream", sink, id, numbers)
				break
			}
		}
	}
}

// deliverUntil delivers until done says so, or for as long as patience lasts. It returns which messages brought each event.
func deliverUntil(t *testing.T, j journal.Journal, sink string, done func(id string) bool) map[string][]uint64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	sequences := map[string][]uint64{}
	for {
		deliveries, err := j.Queue(sink).Fetch(ctx, journal.Limit{Events: 500})
		if err != nil {
			return sequences
		}
		end := false
		for _, d := range deliveries {
			sequences[string(d.Payload)] = append(sequences[string(d.Payload)], d.Sequence)
			end = done(string(d.Payload)) || end
		}
		if err := j.Queue(sink).Settle(ctx, []journal.Settlement{{Deliveries: deliveries}}); err != nil {
			t.Errorf("Settle: %v", err)
		}
		if end {
			return sequences
		}
	}
}

// leader returns the index of the server that leads the stream of the events.
func leader(t *testing.T, c *nats.Cluster) int {
	t.Helper()
	found := -1
	eventually(t, "the stream has a leader", func() bool {
		js, end := dial(t, c.URLs()[0])
		defer end()
		s, err := js.Stream(t.Context(), "test")
		if err != nil || s.CachedInfo().Cluster == nil {
			return false
		}
		found = slices.IndexFunc(c.Servers, func(one *nats.Server) bool { return one.Name == s.CachedInfo().Cluster.Leader })
		return found >= 0
	})
	return found
}

// dial connects as an operator would.
func dial(t testing.TB, url string, options ...client.Option) (js natsjs.JetStream, end func()) {
	t.Helper()
	nc, err := client.Connect(url, options...)
	if err != nil {
		t.Fatal(err)
	}
	js, err = natsjs.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return js, nc.Close
}

func mustDo(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestServersFailAndNothingIsLost lets three servers fail in every way while events come in, one at a time.
func TestServersFailAndNothingIsLost(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(*testing.T, *nats.Cluster, *load){
		"the leader is killed": func(t *testing.T, c *nats.Cluster, l *load) {
			i := leader(t, c)
			mustDo(t, c.Servers[i].Kill())
			l.grows(t)
			mustDo(t, c.Servers[i].Start(t.Context()))
		},
		"the leader is lost with its disk": func(t *testing.T, c *nats.Cluster, l *load) {
			lost := c.Servers[leader(t, c)]
			mustDo(t, lost.Lose())
			l.grows(t)
			mustDo(t, lost.Start(t.Context()))
			l.grows(t)
			mustDo(t, c.Servers[leader(t, c)].Kill())
		},
		"the leader is cut off": func(t *testing.T, c *nats.Cluster, l *load) {
			i := leader(t, c)
			c.Isolate(i)
			l.grows(t)
			c.Rejoin(i)
		},
		"the leader hangs": func(t *testing.T, c *nats.Cluster, l *load) {
			i := leader(t, c)
			mustDo(t, c.Servers[i].Pause())
			l.grows(t)
			mustDo(t, c.Servers[i].Resume())
		},
		"all are restarted one by one": func(t *testing.T, c *nats.Cluster, l *load) {
			for _, s := range c.Servers {
				mustDo(t, s.Stop())
				mustDo(t, s.Start(t.Context()))
				l.grows(t)
			}
		},
		"all are killed at once": func(t *testing.T, c *nats.Cluster, _ *load) {
			for _, s := range c.Servers {
				mustDo(t, s.Kill())
			}
			for _, s := range c.Servers {
				go s.Start(t.Context()) //nolint:errcheck // it is waited for below
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := startServers(t, nats.Options{Servers: 3})
			j := open(t, options(c))
			l := startLoad(t, 8, j)
			l.grows(t)
			fail(t, c, l)
			l.grows(t)
			wantAll(t, j, l.end())
		})
	}
}

// TestReceiversShareTheirJournal gives the same events to two receivers, at once and after delivery. An event that a sender had
// to send again, because the servers did not confirm it in time, may have been stored the first time.
func TestReceiversShareTheirJournal(t *testing.T) {
	t.Parallel()
	c := startServers(t, nats.Options{Servers: 1})
	one, other := open(t, options(c)), open(t, otherReceiver(c))
	if one.SharedName() != other.SharedName() || one.SharedName() == "" {
		t.Errorf("one journal has two names: %q and %q", one.SharedName(), other.SharedName())
	}
	const events = 300
	var accepted, duplicates, unconfirmed atomic.Int64
	sent := map[string]struct{}{}
	var group sync.WaitGroup
	for n := range events {
		sent[strconv.Itoa(n)] = struct{}{}
	}
	for _, j := range []journal.Journal{one, other} {
		group.Go(func() {
			for n := range events {
				receipt, failures := appendUntilConfirmed(t, j, entry(strconv.Itoa(n), sinkA, sinkB))
				accepted.Add(int64(receipt.Accepted))
				duplicates.Add(int64(receipt.Duplicates))
				unconfirmed.Add(int64(failures))
			}
		})
	}
	group.Wait()
	a, d, u := accepted.Load(), duplicates.Load(), unconfirmed.Load()
	if a > events || a < events-u || a+d != 2*events {
		t.Errorf("accepted %d and dropped %d of %d events that came twice, and again %d times", a, d, events, u)
	}
	wantAll(t, one, sent)
	receipt, err := other.Append(t.Context(), batch(entry("7", sinkA)))
	if err != nil || receipt.Duplicates != 1 {
		t.Errorf("retry at the other receiver after delivery: %+v, %v", receipt, err)
	}
}

// appendUntilConfirmed appends as a sender does that sends again what was not confirmed. It returns how often it was not.
func appendUntilConfirmed(t *testing.T, j journal.Journal, e journal.Entry) (receipt journal.Receipt, failures int) {
	for ; ; failures++ {
		receipt, err := j.Append(t.Context(), batch(e))
		if err == nil || failures == 5 {
			if err != nil {
				t.Errorf("event %s: %v", e.Payload, err)
			}
			return receipt, failures
		}
		t.Logf("event %s: %v", e.Payload, err)
	}
}

func otherReceiver(c *nats.Cluster) jetstream.Options {
	o := options(c)
	o.Instance = "other"
	return o
}

// TestAnotherReceiverTakesOver ends the receiver that feeds a sink, in order and not. The other has what is owed, in order.
func TestAnotherReceiverTakesOver(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*testing.T, *jetstream.Journal, *nats.Cluster){
		"it is closed": func(t *testing.T, j *jetstream.Journal, _ *nats.Cluster) { mustDo(t, j.Close()) },
		"it is gone":   func(_ *testing.T, j *jetstream.Journal, _ *nats.Cluster) { j.Abandon() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := startServers(t, nats.Options{Servers: 1})
			one := open(t, options(c))
			for n := range 10 {
				if _, err := one.Append(t.Context(), batch(entry(strconv.Itoa(n), sinkA))); err != nil {
					t.Fatal(err)
				}
			}
			first := fetchAll(t, one, 4)
			mustDo(t, one.Queue(sinkA).Settle(t.Context(), []journal.Settlement{
				{Deliveries: first[:1]}, {Deliveries: first[1:2], Outcome: journal.Retry, At: time.Now().Add(time.Hour)},
			}))
			other := open(t, otherReceiver(c))
			wantNobodyFed(t, other)
			eventually(t, "the settlement is stored", func() bool { return one.Stats().Pending[sinkA] == 9 })
			end(t, one, c)
			var got []string
			deliverUntil(t, other, sinkA, func(id string) bool { got = append(got, id); return len(got) == 9 })
			if want := []string{"1", "2", "3", "4", "5", "6", "7", "8", "9"}; !slices.Equal(got, want) {
				t.Errorf("the other receiver got %v, want %v", got, want)
			}
		})
	}
}

// fetchAll fetches count deliveries of the first sink.
func fetchAll(t *testing.T, j journal.Journal, count int) []journal.Delivery {
	t.Helper()
	return fetchOf(t, j, sinkA, count)
}

// fetchOf fetches count deliveries of a sink.
func fetchOf(t *testing.T, j journal.Journal, sink string, count int) (all []journal.Delivery) {
	t.Helper()
	for len(all) < count {
		some, err := j.Queue(sink).Fetch(t.Context(), journal.Limit{Events: count - len(all)})
		mustDo(t, err)
		all = append(all, some...)
	}
	return all
}

// wantNobodyFed checks that a receiver gets nothing while another feeds the sink, for longer than it takes to take over.
func wantNobodyFed(t *testing.T, j journal.Journal) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 6*time.Second)
	defer cancel()
	if got, err := j.Queue(sinkA).Fetch(ctx, journal.Limit{Events: 1}); err == nil {
		t.Fatalf("two receivers feed one sink: %v", got)
	}
}

// TestTheWindowOfDeduplicationIsTheStreams waits until a short window is over.
func TestTheWindowOfDeduplicationIsTheStreams(t *testing.T) {
	t.Parallel()
	c := startServers(t, nats.Options{Servers: 1})
	o := options(c)
	o.DedupeWindow = 500 * time.Millisecond
	j := open(t, o)
	began := time.Now()
	accepted := func() bool {
		receipt, err := j.Append(t.Context(), batch(entry("1", sinkA)))
		mustDo(t, err)
		return receipt.Accepted == 1
	}
	if !accepted() {
		t.Fatal("not accepted at first")
	}
	eventually(t, "the event is accepted again", accepted)
	if after := time.Since(began); after < o.DedupeWindow {
		t.Errorf("accepted again after %v", after)
	}
}

// TestScheduledPayloadsDoNotStayInMemory schedules more than is kept, and gets it back whole.
func TestScheduledPayloadsDoNotStayInMemory(t *testing.T) {
	t.Parallel()
	c := startServers(t, nats.Options{Servers: 1})
	j := open(t, options(c))
	const events, size = 30, 900_000
	for n := range events {
		e := entry(strconv.Itoa(n), sinkA)
		e.Payload = bytes.Repeat([]byte{byte(n)}, size)
		if _, err := j.Append(t.Context(), batch(e)); err != nil {
			t.Fatal(err)
		}
	}
	back := journal.Settlement{Deliveries: fetchAll(t, j, events), Outcome: journal.Retry, At: time.Now()}
	mustDo(t, j.Queue(sinkA).Settle(t.Context(), []journal.Settlement{back}))
	for n, d := range fetchAll(t, j, events) {
		if !bytes.Equal(d.Payload, bytes.Repeat([]byte{byte(n)}, size)) || d.Attempts != 1 {
			t.Fatalf("delivery %d has %d bytes and %d attempts", n, len(d.Payload), d.Attempts)
		}
	}
}

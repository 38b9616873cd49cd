package supervise_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/embedded"
	"github.com/mailvane/mailvane/receiver/metrics"
	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/supervise"
)

// world is a supervisor over a journal, with a kind of sinks that note what happens to them.
type world struct {
	t          *testing.T
	journal    *embedded.Journal
	supervisor *supervise.Supervisor

	mu  sync.Mutex
	log []string
	// hold, unless it is nil, ends sends when it is closed.
	hold chan struct{}
	// fail, unless it is nil, says why a sink takes nothing.
	fail func(name string) error
}

// run calls test in a bubble of fake time.
func run(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j, err := embedded.Open(embedded.Options{Dir: "journal", FS: vfs.NewMem(), MinFreeBytes: -1, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		w := &world{t: t, journal: j}
		w.supervisor = supervise.New(supervise.Options{
			Journal: j, Metrics: metrics.New(prometheus.NewRegistry()), Logger: slog.New(slog.DiscardHandler),
			Lookup: func(sinkType string) (sink.Kind, bool) {
				return sink.Kind{Type: sinkType, New: w.open}, sinkType == "Noted"
			},
		})
		defer func() {
			w.supervisor.Stop()
			if err := j.Close(); err != nil {
				t.Error(err)
			}
		}()
		test(t, w)
	})
}

func (w *world) note(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.log = append(w.log, fmt.Sprintf(format, args...))
}

// happened returns what has happened since the last call, when nothing happens any more.
func (w *world) happened() []string {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	log := w.log
	w.log = nil
	return log
}

// noted is one sink. Its settings are its name.
type noted struct {
	w    *world
	name string
}

func (w *world) open(settings []byte, _ sink.Environment) (sink.Sink, error) {
	var name string
	if err := json.Unmarshal(settings, &name); err != nil {
		return nil, errors.New("settings must be a name")
	}
	w.note("open %s", name)
	return &noted{w, name}, nil
}

func (n *noted) Send(_ context.Context, batch sink.Batch) error {
	n.w.mu.Lock()
	hold := n.w.hold
	n.w.mu.Unlock()
	if hold != nil {
		<-hold
	}
	if n.w.fail != nil && n.w.fail(n.name) != nil {
		return n.w.fail(n.name)
	}
	for _, m := range batch.Messages {
		n.w.note("%s gets %s", n.name, m.ID)
	}
	return nil
}

func (n *noted) Close() error {
	n.w.note("close %s", n.name)
	return nil
}

// sinkOf is the configuration of a sink with settings.
func sinkOf(name, settings string) config.Sink {
	return config.Sink{
		Namespace: "mail", Name: name, Kind: config.Plugin{Type: "Noted", Settings: json.RawMessage(settings)},
		Delivery: config.Delivery{
			MaxInFlight: 1, BatchMaxEvents: 1, TimeoutSeconds: 60, InitialBackoffMilliseconds: 100, MaxBackoffSeconds: 10, MaxAgeSeconds: 3600, Ordering: config.ByKey,
		},
	}
}

func (w *world) apply(sinks ...config.Sink) {
	w.t.Helper()
	p, err := w.supervisor.Plan(sinks)
	if err != nil {
		w.t.Fatal(err)
	}
	w.supervisor.Apply(context.Background(), p)
}

// owe stores an event for a sink.
func (w *world) owe(id, sinkName string) {
	w.t.Helper()
	payload, err := event.Encode(&event.Event{ID: id, Type: event.Sent, Provider: "Test", Time: time.Now()}, event.Source("mail", "in"))
	if err != nil {
		w.t.Fatal(err)
	}
	batch := journal.Batch{Entries: []journal.Entry{{OrderingKey: "key", Sinks: []string{sinkName}, AcceptedAt: time.Now(), Payload: payload}}}
	if _, err := w.journal.Append(context.Background(), batch); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) want(want ...string) {
	w.t.Helper()
	if diff := cmp.Diff(want, w.happened()); diff != "" {
		w.t.Error(diff)
	}
}

func (w *world) types() map[string]string {
	types := map[string]string{}
	for _, s := range w.supervisor.States() {
		types[s.Name] = s.Type
	}
	return types
}

func TestWhatDidNotChangeGoesOn(t *testing.T) {
	run(t, func(_ *testing.T, w *world) {
		w.apply(sinkOf("a", `"one"`), sinkOf("b", `"two"`))
		w.want("open one", "open two")
		w.owe("e1", "mail/a")
		w.want("one gets e1")
		w.apply(sinkOf("b", `"other"`), sinkOf("a", `"one"`))
		w.want("open other", "close two")
		w.owe("e2", "mail/a")
		w.owe("e3", "mail/b")
		got := w.happened()
		slices.Sort(got)
		if diff := cmp.Diff([]string{"one gets e2", "other gets e3"}, got); diff != "" {
			w.t.Error(diff)
		}
	})
}

// TestOneWorkerAtATime changes a sink while it sends: what comes is sent by the next one, once the last one has ended.
func TestOneWorkerAtATime(t *testing.T) {
	run(t, func(_ *testing.T, w *world) {
		w.hold = make(chan struct{})
		w.apply(sinkOf("a", `"one"`))
		w.owe("e1", "mail/a")
		w.owe("e2", "mail/a")
		w.want("open one")
		w.apply(sinkOf("a", `"two"`))
		w.want("open two")
		close(w.hold)
		w.want("one gets e1", "close one", "two gets e2")
	})
}

func TestARemovedSinkWaitsForItsReturn(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.apply(sinkOf("a", `"one"`))
		w.apply()
		w.want("open one", "close one")
		w.owe("e1", "mail/a")
		w.apply()
		w.want()
		if diff := cmp.Diff(map[string]string{"mail/a": supervise.OrphanType}, w.types()); diff != "" {
			t.Error(diff)
		}
		w.apply(sinkOf("a", `"again"`))
		time.Sleep(time.Minute)
		w.want("open again", "again gets e1")
		if diff := cmp.Diff(map[string]string{"mail/a": "Noted"}, w.types()); diff != "" {
			t.Error(diff)
		}
	})
}

// TestOrphansAreFoundLater has a journal that others fill, too.
func TestOrphansAreFoundLater(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		go w.supervisor.AdoptOrphans(ctx)
		w.owe("e1", "mail/gone")
		time.Sleep(time.Hour)
		if got := w.types(); len(got) != 0 {
			t.Errorf("before the first configuration: %v", got)
		}
		p, err := w.supervisor.Plan(nil)
		if err != nil {
			t.Fatal(err)
		}
		w.supervisor.Apply(context.Background(), p)
		w.owe("e2", "mail/other")
		time.Sleep(100 * time.Second)
		if got := w.types(); got["mail/gone"] != supervise.OrphanType || got["mail/other"] != "" {
			t.Errorf("when its configuration may be on its way: %v", got)
		}
		time.Sleep(30 * time.Second)
		if got := w.types(); got["mail/other"] != supervise.OrphanType {
			t.Errorf("when it is not coming: %v", got)
		}
		w.supervisor.Adopt(ctx, "mail/other") // which is there
		w.apply(sinkOf("other", `"one"`))
		time.Sleep(time.Minute)
		w.want("open one", "one gets e2")
	})
}

// TestAPlanThatFailsChangesNothing refuses configurations as a whole.
func TestAPlanThatFailsChangesNothing(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.apply(sinkOf("a", `"one"`))
		w.want("open one")
		unknown := sinkOf("b", `"two"`)
		unknown.Kind.Type = "Fax"
		leaky := sinkOf("b", `"two"`)
		leaky.Content = &config.Content{Fields: []config.ContentField{{Name: "recipient", As: config.ContentHash}}}
		for want, sinks := range map[string][]config.Sink{
			`sink mail/b: unknown type "Fax"`:                 {sinkOf("a", `"other"`), unknown},
			"sink mail/b: Noted: settings must be a name":     {sinkOf("a", `"other"`), sinkOf("b", `{}`)},
			"sink mail/b: content: raw must be Drop":          {sinkOf("a", `"other"`), leaky},
			"sink mail/a is listed twice":                     {sinkOf("a", `"other"`), sinkOf("a", `"third"`)},
			"sink mail/b: Noted: settings must be a name\nsi": {sinkOf("b", `1`), sinkOf("c", `2`)},
		} {
			p, err := w.supervisor.Plan(sinks)
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %q", err, want)
			}
			p.Discard()
			opened, closed := 0, 0
			for _, what := range w.happened() {
				if strings.HasPrefix(what, "open") {
					opened++
				} else {
					closed++
				}
			}
			if opened != closed {
				t.Errorf("%s: %d sinks were opened and %d closed", want, opened, closed)
			}
		}
		w.owe("e1", "mail/a")
		w.want("one gets e1")
	})
}

func TestAfterTheStopNothingStarts(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.apply(sinkOf("a", `"one"`))
		w.supervisor.Stop()
		w.want("open one", "close one")
		w.apply(sinkOf("a", `"two"`))
		w.want("open two", "close two")
		w.owe("e1", "mail/gone")
		w.supervisor.Adopt(context.Background(), "mail/gone")
		if got := w.types(); len(got) != 0 {
			t.Errorf("runs: %v", got)
		}
	})
}

// TestConnectionsAreTold has sinks that are well, that fail, to which nothing was sent, and that are not configured any more.
func TestConnectionsAreTold(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.fail = func(name string) error {
			if name == "failing" {
				return sink.Because(sink.CredentialRefused, errors.New("no: to@example.com"))
			}
			return nil
		}
		w.apply(sinkOf("b", `"failing"`), sinkOf("a", `"well"`), sinkOf("c", `"idle"`), sinkOf("d", `"removed"`))
		w.owe("e1", "mail/a")
		w.owe("e2", "mail/b")
		time.Sleep(time.Minute)
		w.apply(sinkOf("b", `"failing"`), sinkOf("a", `"well"`), sinkOf("c", `"idle"`))
		w.owe("e3", "mail/d")
		w.supervisor.Adopt(context.Background(), "mail/d")
		time.Sleep(time.Minute)
		got := w.supervisor.Connections()
		for i := range got {
			if got[i].Since.IsZero() {
				t.Errorf("%s: since when?", got[i].Sink)
			}
			got[i].Since = time.Time{}
		}
		want := []config.Connection{{Sink: "mail/a"}, {Sink: "mail/b", Cause: config.CredentialRefused}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

// TestTheTellingIsBounded has more sinks than are told of.
func TestTheTellingIsBounded(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.fail = func(name string) error {
			if name == "failing" {
				return errors.New("no")
			}
			return nil
		}
		var sinks []config.Sink
		for i := range config.MaxConnections {
			sinks = append(sinks, sinkOf(fmt.Sprintf("a%d", i), `"well"`))
		}
		w.apply(append(sinks, sinkOf("z", `"failing"`))...)
		for _, s := range w.supervisor.States() {
			w.owe("e", s.Name)
		}
		time.Sleep(time.Minute)
		got := w.supervisor.Connections()
		if len(got) != config.MaxConnections || got[len(got)-1].Sink != "mail/z" || got[len(got)-1].Cause == "" {
			t.Errorf("%d are told, the last one %+v", len(got), got[len(got)-1])
		}
	})
}

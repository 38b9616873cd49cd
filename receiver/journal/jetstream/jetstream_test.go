package jetstream_test

import (
	"log/slog"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/jetstream"
	"github.com/mailvane/mailvane/receiver/journal/journaltest"
	"github.com/mailvane/mailvane/test/nats"
)

// patience bounds every wait for something that must happen.
const patience = time.Minute

// startServers starts servers for one test.
func startServers(t testing.TB, o nats.Options) *nats.Cluster {
	t.Helper()
	o.Dir, o.Progress = t.TempDir(), os.Stderr
	c, err := nats.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func options(c *nats.Cluster) jetstream.Options {
	return jetstream.Options{URLs: c.URLs(), Name: "test", Replicas: len(c.Servers), MaxBytes: 1 << 30, Instance: "one", Logger: slog.New(slog.DiscardHandler)}
}

// open opens a journal and waits until it takes events.
func open(t testing.TB, o jetstream.Options) *jetstream.Journal {
	t.Helper()
	j, err := jetstream.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() }) //nolint:errcheck // the tests that care close it themselves
	defer func() {
		if t.Failed() {
			t.Logf("problem: %s", j.Stats().Problem)
		}
	}()
	eventually(t, "the journal takes events", func() bool { return j.Stats().Problem == "" })
	return j
}

func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not in %v: %s", patience, what)
		}
	}
}

// TestConformance gives each promise a server of its own.
func TestConformance(t *testing.T) {
	t.Parallel()
	journaltest.Run(t, func(t *testing.T) journaltest.Harness {
		c := startServers(t, nats.Options{Servers: 1})
		var last *jetstream.Journal
		openWith := func(t *testing.T, maxBytes int64) journal.Journal {
			o := options(c)
			o.MaxBytes = maxBytes
			last = open(t, o)
			return last
		}
		return journaltest.Harness{
			ForgetsAttempts: true, Lags: true,
			Open:      func(t *testing.T) journal.Journal { return openWith(t, 1<<30) },
			OpenSmall: func(t *testing.T) journal.Journal { return openWith(t, 16<<20) },
			Crash:     func(t *testing.T) { crash(t, c.Servers[0], last) },
		}
	})
}

// TestConformanceOfThree runs the promises on one cluster, with three replicas, each with streams of its own.
func TestConformanceOfThree(t *testing.T) {
	t.Parallel()
	c := startServers(t, nats.Options{Servers: 3})
	var streams atomic.Int64
	t.Run("promises", func(t *testing.T) {
		journaltest.Run(t, func(*testing.T) journaltest.Harness {
			o := options(c)
			o.Name = "test" + strconv.FormatInt(streams.Add(1), 10)
			openWith := func(t *testing.T, maxBytes int64) journal.Journal {
				o.MaxBytes = maxBytes
				return open(t, o)
			}
			return journaltest.Harness{
				ForgetsAttempts: true, Lags: true,
				Open:      func(t *testing.T) journal.Journal { return openWith(t, 32<<20) },
				OpenSmall: func(t *testing.T) journal.Journal { return openWith(t, 16<<20) },
			}
		})
	})
}

// crash kills the server and then the journal. The kernel keeps what the server has written.
func crash(t *testing.T, s *nats.Server, j *jetstream.Journal) {
	t.Helper()
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
}

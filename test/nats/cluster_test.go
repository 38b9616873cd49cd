package nats_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/mailvane/mailvane/test/nats"
)

// TestAnIsolatedServerCannotCommit shows that a cut is one: without it the tests of partitions would prove nothing.
func TestAnIsolatedServerCannotCommit(t *testing.T) {
	t.Parallel()
	c, err := nats.Start(t.Context(), nats.Options{Servers: 3, Dir: t.TempDir(), Progress: os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	js := connect(t, c.Servers[0].URL())
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}, Replicas: 3}); err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish(t.Context(), "s", nil); err != nil {
		t.Fatal(err)
	}
	c.Isolate(0)
	if _, err := js.Publish(t.Context(), "s", nil, jetstream.WithRetryAttempts(0)); err == nil {
		t.Error("an isolated server acknowledged")
	}
	other := connect(t, c.Servers[1].URL())
	eventually(t, "the majority goes on", func() error { _, err := other.Publish(t.Context(), "s", nil); return err })
	c.Rejoin(0)
	eventually(t, "the isolated server is back", func() error { _, err := js.Publish(t.Context(), "s", nil); return err })
}

func connect(t *testing.T, url string) jetstream.JetStream {
	t.Helper()
	nc, err := client.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

func eventually(t *testing.T, what string, try func() error) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(fmt.Errorf("not in a minute: %s: %w", what, err))
		}
	}
}

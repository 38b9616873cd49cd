package stdoutsink_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/sinktest"
	"github.com/mailvane/mailvane/receiver/sink/stdoutsink"
)

// console is a writer that can fail.
type console struct {
	mu      sync.Mutex
	written bytes.Buffer
	// left is how many more bytes it takes when limited.
	limited bool
	left    int
	writes  int
}

func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writes++
	if c.limited && len(p) > c.left {
		n, _ := c.written.Write(p[:c.left])
		c.left = 0
		return n, io.ErrShortWrite
	}
	return c.written.Write(p)
}

func (c *console) limit(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.limited = on
}

func (c *console) ids(t *testing.T) []string {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []string
	for line := range bytes.Lines(c.written.Bytes()) {
		var e struct {
			ID string `json:"id"`
		}
		if err := json.Unmarshal(line, &e); err != nil {
			continue // a torn line
		}
		list = append(list, e.ID)
	}
	return list
}

func TestConformance(t *testing.T) {
	t.Parallel()
	sinktest.Run(t, func(*testing.T) sinktest.Harness {
		c := &console{}
		return sinktest.Harness{
			Kind: stdoutsink.Kind(), Settings: "{}", Environment: sink.Environment{Stdout: c}, Received: c.ids,
			Break: func(*testing.T) { c.limit(true) },
			Mend:  func(*testing.T) { c.limit(false) },
			Fail:  map[sinktest.Class]func(*testing.T){sinktest.Transient: func(*testing.T) { c.limit(true) }},
		}
	})
}

func open(t *testing.T, out io.Writer) sink.Sink {
	t.Helper()
	s, err := stdoutsink.Kind().New([]byte("{}"), sink.Environment{Stdout: out})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestBatchIsOneWrite(t *testing.T) {
	t.Parallel()
	c := &console{}
	if err := open(t, c).Send(t.Context(), sinktest.Batch(0, 3)); err != nil {
		t.Fatal(err)
	}
	want := ""
	for n := range 3 {
		want += string(sinktest.Message(n).Envelope) + "\n"
	}
	if diff := cmp.Diff(want, c.written.String()); diff != "" || c.writes != 1 {
		t.Errorf("%d writes: %s", c.writes, diff)
	}
}

func TestTornLineIsEnded(t *testing.T) {
	t.Parallel()
	c := &console{limited: true, left: 10}
	s := open(t, c)
	if err := s.Send(t.Context(), sinktest.Batch(0, 1)); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("Send = %v", err)
	}
	c.limited = false
	if err := s.Send(t.Context(), sinktest.Batch(0, 1)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{sinktest.ID(0)}, c.ids(t)); diff != "" {
		t.Errorf("in %q: %s", c.written.String(), diff)
	}
}

// TestSendEndsWithItsContext has nobody read what is written: neither the Send that writes nor one behind it waits for longer than
// it may. Once somebody reads, what had begun is whole, and further lines come.
func TestSendEndsWithItsContext(t *testing.T) {
	t.Parallel()
	r, w := io.Pipe()
	s := open(t, w)
	for n := range 2 {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		if err := s.Send(ctx, sinktest.Batch(n, 1)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Send = %v", err)
		}
	}
	c := &console{}
	copied := make(chan error, 1)
	go func() {
		_, err := io.Copy(c, r)
		copied <- err
	}()
	if err := s.Send(t.Context(), sinktest.Batch(2, 1)); err != nil {
		t.Error(err)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if err := <-copied; err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{sinktest.ID(0), sinktest.ID(2)}, c.ids(t)); diff != "" {
		t.Errorf("arrived (-want +got):\n%s", diff)
	}
}

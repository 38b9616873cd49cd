// Package sinktest holds the suite that every kind of sink passes. The names of its subtests are the promises of a sink.
package sinktest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/sink"
)

// patience bounds every wait for something that must happen.
const patience = 10 * time.Second

// Harness gives the suite one sink and the destination behind it. A field that is nil stands for something that cannot be
// done with the destination; the promises that need it are skipped.
type Harness struct {
	// Kind is the kind under test, Settings are complete settings and Environment goes with them. Required.
	Kind        sink.Kind
	Settings    string
	Environment sink.Environment
	// Received returns the ids of the events that the destination has, in the order of their arrival. Required.
	Received func(t *testing.T) []string
	// Break makes the destination refuse everything from now on, and Mend ends that, with what had arrived still there.
	Break, Mend func(t *testing.T)
	// Fail makes the destination fail in a way from now on, instead of any other way. Unreachable comes last and is not mended.
	Fail map[Class]func(t *testing.T)
	// Bound makes the destination refuse what is larger than a number of bytes.
	Bound func(t *testing.T, bytes int)
	// Batches returns the identities by which the destination tells batches apart, in the order of their arrival.
	Batches func(t *testing.T) []string
	// Stall makes the destination take requests and answer none until the test ends.
	Stall func(t *testing.T)
	// Secrets are what the settings hold and no error may.
	Secrets []string
}

// Run runs the suite; newHarness makes a new destination for each promise.
func Run(t *testing.T, newHarness func(t *testing.T) Harness) {
	t.Helper()
	for name, check := range map[string]func(*testing.T, Harness){
		"events arrive, all and in order":             deliversInOrder,
		"concurrent sends all arrive":                 deliversConcurrently,
		"sending nothing is no error":                 sendsNothing,
		"a cancelled send sends nothing":              cancelledBefore,
		"a send ends with its context":                cancelledDuring,
		"a failure is an error that tells no secret":  failureTellsNoSecret,
		"settings with unknown fields are refused":    refusesUnknownFields,
		"bad settings are refused and tell no secret": badSettingsTellNoSecret,
		"closing twice is allowed":                    closesTwice,
		"closing during a send is allowed":            closesWhileSending,
		"failures say how to go on":                   failuresAreClassified,
		"a probe tells and leaves nothing":            probesTell,
		"each of 10,000 arrives after a failure":      recovers,
		"one that is too large is refused alone":      refusesOversizeAlone,
		"a batch that is sent again is known again":   knowsABatchAgain,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, newHarness(t))
		})
	}
}

// Message returns the n-th message of a test; its event's id is ID(n).
func Message(n int) sink.Message {
	m := sink.Message{
		ID: ID(n), Source: "/mailvane/mail/in", Type: "dev.mailvane.email.sent.v1", Subject: fmt.Sprintf("to+%d@example.com", n),
		Provider: "test", Time: time.Date(2026, time.January, 2, 3, 4, 5, n, time.UTC), Key: fmt.Sprintf("key-%d", n),
	}
	m.Envelope = fmt.Appendf(nil, `{"specversion":"1.0","id":%q,"source":%q,"type":%q,"subject":%q,"datacontenttype":"application/json",`+
		`"data":{"id":%[1]q,"big":12345678901234567890}}`, m.ID, m.Source, m.Type, m.Subject)
	return m
}

// ID returns the id of the n-th message.
func ID(n int) string { return fmt.Sprintf("%032x", n) }

// Batch returns a batch of count messages from the first on.
func Batch(first, count int) sink.Batch { return sink.NewBatch(Messages(first, count)) }

// Messages returns count messages from the first on.
func Messages(first, count int) []sink.Message {
	list := make([]sink.Message, count)
	for i := range list {
		list[i] = Message(first + i)
	}
	return list
}

func ids(first, count int) []string {
	list := make([]string, count)
	for i := range list {
		list[i] = ID(first + i)
	}
	return list
}

func open(t *testing.T, h Harness) sink.Sink {
	t.Helper()
	s, err := h.Kind.New([]byte(h.Settings), h.Environment)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	t.Cleanup(func() { s.Close() }) //nolint:errcheck // closing has a test of its own
	return s
}

// sendAll sends the messages in batches that the sink can take.
func sendAll(ctx context.Context, s sink.Sink, messages []sink.Message) error {
	size := len(messages)
	if limiter, ok := s.(sink.BatchLimiter); ok {
		size = min(size, limiter.MaxBatch())
	}
	for chunk := range slices.Chunk(messages, size) {
		if err := s.Send(ctx, sink.NewBatch(chunk)); err != nil {
			return err
		}
	}
	return nil
}

func deliversInOrder(t *testing.T, h Harness) {
	s := open(t, h)
	for _, first := range []int{0, 5} {
		if err := sendAll(t.Context(), s, Messages(first, 5)); err != nil {
			t.Fatalf("Send: %v", err)
		}
	}
	if diff := cmp.Diff(ids(0, 10), h.Received(t)); diff != "" {
		t.Error(diff)
	}
}

func deliversConcurrently(t *testing.T, h Harness) {
	const senders, each = 8, 6
	s := open(t, h)
	var wg sync.WaitGroup
	for n := range senders {
		wg.Go(func() {
			if err := sendAll(t.Context(), s, Messages(n*each, each)); err != nil {
				t.Errorf("Send: %v", err)
			}
		})
	}
	wg.Wait()
	got := h.Received(t)
	slices.Sort(got)
	if diff := cmp.Diff(ids(0, senders*each), got); diff != "" {
		t.Error(diff)
	}
}

func sendsNothing(t *testing.T, h Harness) {
	if err := open(t, h).Send(t.Context(), sink.Batch{}); err != nil {
		t.Errorf("Send: %v", err)
	}
	if got := h.Received(t); len(got) != 0 {
		t.Errorf("received %v", got)
	}
}

func cancelledBefore(t *testing.T, h Harness) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := open(t, h).Send(ctx, Batch(0, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("Send = %v, want context.Canceled", err)
	}
	if got := h.Received(t); len(got) != 0 {
		t.Errorf("received %v", got)
	}
}

func cancelledDuring(t *testing.T, h Harness) {
	if h.Stall == nil {
		t.Skip("the destination cannot be stalled")
	}
	s := open(t, h)
	h.Stall(t)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- s.Send(ctx, Batch(0, 1)) }()
	select {
	case err := <-done:
		if !errors.Is(err, context.DeadlineExceeded) || sink.IsPermanent(err) {
			t.Errorf("Send = %v, want a transient context.DeadlineExceeded", err)
		}
		checkSecrets(t, h, err)
	case <-time.After(patience):
		t.Errorf("Send does not end with its context")
	}
}

func failureTellsNoSecret(t *testing.T, h Harness) {
	if h.Break == nil {
		t.Skip("the destination cannot be broken")
	}
	s := open(t, h)
	h.Break(t)
	err := s.Send(t.Context(), Batch(0, 1))
	if err == nil {
		t.Fatal("Send succeeded")
	}
	checkSecrets(t, h, err)
}

func checkSecrets(t *testing.T, h Harness, err error) {
	t.Helper()
	for _, secret := range h.Secrets {
		if strings.Contains(fmt.Sprintf("%v %+v", err, err), secret) {
			t.Errorf("error %q holds the secret %q", err, secret)
		}
	}
}

func refusesUnknownFields(t *testing.T, h Harness) {
	settings := strings.Replace(h.Settings, "{", `{"surprise":1,`, 1)
	settings = strings.Replace(settings, ",}", "}", 1)
	if _, err := h.Kind.New([]byte(settings), h.Environment); err == nil || !strings.Contains(err.Error(), "surprise") {
		t.Errorf("New = %v, want an error that names the field", err)
	}
}

func badSettingsTellNoSecret(t *testing.T, h Harness) {
	settings := []byte(h.Settings)
	for i := range settings {
		for _, broken := range [][]byte{settings[:i], slices.Concat(settings[:i], []byte("\x00"), settings[i:])} {
			if _, err := h.Kind.New(broken, h.Environment); err != nil {
				checkSecrets(t, h, err)
			} else if len(bytes.TrimSpace(broken)) == 0 {
				t.Errorf("New accepts %q", broken)
			}
		}
	}
}

func closesTwice(t *testing.T, h Harness) {
	s := open(t, h)
	if err := sendAll(t.Context(), s, Messages(0, 1)); err != nil {
		t.Fatalf("Send: %v", err)
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
}

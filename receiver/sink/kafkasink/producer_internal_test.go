package kafkasink

import (
	"errors"
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/sinktest"
)

// list returns what is to be sent of messages, and a record for each.
func list(first, count int) ([]sink.Message, []*kgo.Record) {
	messages := sinktest.Messages(first, count)
	records := make([]*kgo.Record, count)
	for i := range records {
		records[i] = &kgo.Record{Topic: "mail", Value: messages[i].Envelope}
	}
	return messages, records
}

func newCall() *call { return &call{failed: map[int]error{}, done: make(chan struct{})} }

func isDone(c *call) bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

var errAny = errors.New("any")

// TestTwoSendsOfOneEvent at the same time, as of a live event and its replay, are two records. Neither waits for the other's.
func TestTwoSendsOfOneEvent(t *testing.T) {
	t.Parallel()
	p := &producer{pending: map[string]*sent{}, stored: remembered{ids: map[string]bool{}}}
	messages, records := list(0, 1)
	first, second := newCall(), newCall()
	if a, b := p.register(first, messages, records), p.register(second, messages, records); len(a) != 1 || len(b) != 1 {
		t.Fatalf("%v, %v", a, b)
	}
	p.settle(messages[0].ID, second.sent[0], nil)
	if isDone(first) || !isDone(second) {
		t.Error("one send is done by the record of the other")
	}
	p.settle(messages[0].ID, first.sent[0], errAny)
	if !isDone(first) || first.failed[0] == nil || len(second.failed) != 0 || len(p.pending) != 0 {
		t.Errorf("failed: %v and %v, pending: %v", first.failed, second.failed, p.pending)
	}
}

// TestWhatIsAbandonedIsBounded has sends end without answers: beyond a bound nothing new is sent, and what was sent before is waited for.
func TestWhatIsAbandonedIsBounded(t *testing.T) {
	t.Parallel()
	p := &producer{pending: map[string]*sent{}, stored: remembered{ids: map[string]bool{}}}
	messages, records := list(0, 2)
	records[0].Value, records[1].Value = make([]byte, maxAbandonedBytes), []byte("b")
	first := newCall()
	p.register(first, messages, records)
	p.leave(first, errAny)
	if p.abandoned != maxAbandonedBytes+1 || !errors.Is(first.failed[0], errAny) || !errors.Is(first.failed[1], errAny) {
		t.Errorf("abandoned: %d, failed: %v", p.abandoned, first.failed)
	}
	more, others := list(1, 2) // one that is unanswered, and a new one
	second := newCall()
	if fresh := p.register(second, more, others); len(fresh) != 0 || !errors.Is(second.failed[1], errFull) || second.failed[0] != nil {
		t.Errorf("sent: %v, failed: %v", fresh, second.failed)
	}
	p.settle(messages[1].ID, first.sent[1], nil)
	if !isDone(second) || p.abandoned != maxAbandonedBytes {
		t.Errorf("abandoned: %d", p.abandoned)
	}
	p.settle(messages[0].ID, first.sent[0], nil)
	third := newCall()
	if fresh := p.register(third, messages, records); len(fresh) != 1 || fresh[0] != 1 || p.abandoned != 0 { // the first one is there, and the other is sent on purpose
		t.Errorf("sent: %v, abandoned: %d", fresh, p.abandoned)
	}
}

// TestAFailureIsNotRemembered has what failed behind its send sent anew.
func TestAFailureIsNotRemembered(t *testing.T) {
	t.Parallel()
	p := &producer{pending: map[string]*sent{}, stored: remembered{ids: map[string]bool{}}}
	messages, records := list(0, 1)
	c := newCall()
	p.register(c, messages, records)
	p.leave(c, errAny)
	p.settle(messages[0].ID, c.sent[0], errAny)
	if fresh := p.register(newCall(), messages, records); len(fresh) != 1 || p.abandoned != 0 {
		t.Errorf("sent: %v, abandoned: %d", fresh, p.abandoned)
	}
}

func TestTheOldestAreForgotten(t *testing.T) {
	t.Parallel()
	r := remembered{ids: map[string]bool{}}
	for i := range maxRemembered + 2 {
		r.add(fmt.Sprint(i))
		r.add(fmt.Sprint(i)) // is there already
	}
	if r.take("0") || r.take("1") || !r.take("2") || r.take("2") || len(r.ids) != maxRemembered-1 || len(r.order) != maxRemembered {
		t.Errorf("%d ids, %d in order", len(r.ids), len(r.order))
	}
}

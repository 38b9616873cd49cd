package main

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// ledger knows what was acknowledged and what arrived where.
type ledger struct {
	mu      sync.Mutex
	acked   map[int]struct{}
	arrived map[string]map[int]int // how often each event came, by sink
}

func newLedger(sinks ...string) *ledger {
	l := &ledger{acked: map[int]struct{}{}, arrived: map[string]map[int]int{}}
	for _, s := range sinks {
		l.arrived[s] = map[int]int{}
	}
	return l
}

func (l *ledger) ack(event int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.acked[event] = struct{}{}
}

func (l *ledger) arrive(sink string, events []int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range events {
		l.arrived[sink][e]++
	}
}

func (l *ledger) acknowledged() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.acked)
}

// result is the outcome of a run.
type result struct {
	acked, delivered, lost, duplicates int
	// unfound counts the acknowledged events that are not in the history.
	unfound   int
	recovered time.Duration
	missing   []string       // some of what was lost, for people
	owed      map[string]int // how many events each sink has not got
}

// String is the line that a run ends with.
func (r result) String() string {
	var text strings.Builder
	for _, m := range r.missing {
		fmt.Fprintf(&text, "missing: %s\n", m)
	}
	fmt.Fprintf(&text, "acked=%d delivered=%d lost=%d unfound=%d duplicates=%d recovered_in=%.1f",
		r.acked, r.delivered, r.lost, r.unfound, r.duplicates, r.recovered.Seconds())
	return text.String()
}

// maxMissing bounds how many lost events are named.
const maxMissing = 10

// settle compares what was acknowledged with what arrived. An event is delivered when every sink has it.
func (l *ledger) settle() result {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := result{acked: len(l.acked), owed: map[string]int{}}
	for e := range l.acked {
		whole := true
		for sink, arrived := range l.arrived {
			if arrived[e] == 0 {
				whole = false
				r.owed[sink]++
				if len(r.missing) < maxMissing {
					r.missing = append(r.missing, fmt.Sprintf("event %d at %s", e, sink))
				}
			}
		}
		if whole {
			r.delivered++
		} else {
			r.lost++
		}
	}
	for _, arrived := range l.arrived {
		for _, times := range arrived {
			r.duplicates += times - 1
		}
	}
	return r
}

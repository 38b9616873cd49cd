// Package owner tells which process feeds which sink, by the names of consumers, and which processes are gone.
package owner

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nuid"
)

// Owner is what the name of a consumer says: who feeds which sink. The name is QUEUE=INSTANCE=PROCESS=EPOCH, none of which is longer than 22
// characters or holds a "=".
type Owner struct{ Name, Queue, Instance, Process string }

const (
	ownerParts = 4
	// ownerSeparator is in no base64 text.
	ownerSeparator = "="
)

// Parse reads the name of a consumer; ok is false when it is none of [NewName].
func Parse(name string) (o Owner, ok bool) {
	parts := strings.Split(name, ownerSeparator)
	if len(parts) != ownerParts {
		return Owner{}, false
	}
	return Owner{Name: name, Queue: parts[0], Instance: parts[1], Process: parts[2]}, true
}

// NewName returns a name for a consumer that there was not before.
func NewName(queue, instance, process string) string {
	return strings.Join([]string{queue, instance, process, nuid.Next()}, ownerSeparator)
}

// missedProbes is how many probes in a row a process leaves unanswered before it is taken for gone.
const missedProbes = 4

// silence is what a process that does not answer has missed.
type silence struct {
	probes int       // in a row
	since  time.Time // when the first of them was not answered
}

// Presence knows which other processes are there. It is for one goroutine.
type Presence struct {
	process, instance string
	silentFor         time.Duration
	now               func() time.Time
	missed            map[string]silence // by process
}

// NewPresence returns what a process knows at first: nothing. Another must not have answered for silentFor before it is taken for gone; the
// count of probes alone does not tell, since they may follow each other at once. instance names the place of this process, which it may have
// taken from one that is gone; empty = it has none.
func NewPresence(process, instance string, silentFor time.Duration, now func() time.Time) *Presence {
	return &Presence{process: process, instance: instance, silentFor: silentFor, now: now, missed: map[string]silence{}}
}

// Gone asks the other owners whether they are there, all at a time, and returns the processes that are not: those that have not answered
// several times in a row and for long enough. One whose place this process has taken is gone as soon as nobody is there to answer.
func (p *Presence) Gone(ctx context.Context, owners map[string]Owner, ask func(ctx context.Context, process string) (answered, nobody bool)) map[string]bool {
	others := map[string]Owner{}
	for _, o := range owners {
		if o.Process != p.process {
			others[o.Process] = o
		}
	}
	for process := range p.missed {
		if _, ok := others[process]; !ok {
			delete(p.missed, process)
		}
	}
	var mu sync.Mutex
	var group sync.WaitGroup
	gone := map[string]bool{}
	for process, o := range others {
		group.Go(func() {
			answered, nobody := ask(ctx, process)
			mu.Lock()
			defer mu.Unlock()
			if answered {
				delete(p.missed, process)
				return
			}
			replaced := nobody && p.instance != "" && o.Instance == p.instance
			gone[process] = p.miss(process) || replaced
		})
	}
	group.Wait()
	return gone
}

// miss counts an unanswered probe, and reports whether the process must be taken for gone.
func (p *Presence) miss(process string) bool {
	now, s := p.now(), p.missed[process]
	if s.probes == 0 {
		s.since = now
	}
	s.probes++
	p.missed[process] = s
	return s.probes >= missedProbes && now.Sub(s.since) >= p.silentFor
}

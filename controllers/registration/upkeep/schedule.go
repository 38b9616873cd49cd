package upkeep

import (
	"math/rand/v2"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mailvane/mailvane/api/v1alpha1"
)

const (
	// firstDelay and maxDelay bound how long it takes to the next attempt after failures: twice as long after each.
	firstDelay = 15 * time.Second
	maxDelay   = time.Hour
)

// schedule remembers when to look at which webhook.
type schedule struct {
	interval time.Duration

	mu     sync.Mutex
	visits map[client.ObjectKey]visit
}

// visit is the last look at a webhook.
type visit struct {
	uid      types.UID
	inputs   string
	next     time.Time
	failures int
}

// due returns in which time a webhook is to be looked at; 0 = now. It is now when something has changed. A webhook that was right when the
// manager started is looked at within an interval, so that not all are at once.
func (s *schedule) due(e *v1alpha1.WebhookEndpoint, inputs string, now time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := client.ObjectKeyFromObject(e)
	last, known := s.visits[key]
	if !known || last.uid != e.UID {
		c := meta.FindStatusCondition(e.Status.Conditions, v1alpha1.ConditionRegistered)
		if known || c == nil || c.Status != "True" || c.ObservedGeneration != e.Generation {
			return 0
		}
		last = visit{uid: e.UID, inputs: inputs, next: now.Add(rand.N(s.interval))} //nolint:gosec // it spreads work and guards nothing
		s.note(key, last)
	}
	if last.inputs != inputs {
		return 0
	}
	return max(last.next.Sub(now), 0)
}

// next notes a look and returns when the next one is.
func (s *schedule) next(e *v1alpha1.WebhookEndpoint, inputs string, a *attempt, now time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := client.ObjectKeyFromObject(e)
	v := visit{uid: e.UID, inputs: inputs}
	after := jitter(s.interval)
	if a.failed {
		v.failures = s.visits[key].failures + 1
		after = max(jitter(backoff(v.failures)), a.retryAfter)
	}
	if a.again > 0 {
		after = min(after, a.again)
	}
	v.next = now.Add(after)
	s.note(key, v)
	return after
}

func (s *schedule) note(key client.ObjectKey, v visit) {
	if s.visits == nil {
		s.visits = map[client.ObjectKey]visit{}
	}
	s.visits[key] = v
}

func (s *schedule) forget(key client.ObjectKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.visits, key)
}

// backoff returns how long to wait after a number of failures in a row.
func backoff(failures int) time.Duration {
	delay := firstDelay
	for range failures - 1 {
		if delay *= 2; delay >= maxDelay {
			return maxDelay
		}
	}
	return delay
}

// jitter returns a time and up to a tenth of it.
func jitter(d time.Duration) time.Duration {
	return d + rand.N(d/10+1) //nolint:gosec // it spreads work and guards nothing
}

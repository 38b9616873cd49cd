package sinktest

import (
	"math"
	"testing"
	"time"

	"github.com/mailvane/mailvane/receiver/sink"
)

// Class is how a destination fails.
type Class string

// The ways to fail.
const (
	// Permanent refuses for good whatever is sent.
	Permanent Class = "permanent"
	// Throttled asks to wait for [ThrottledFor].
	Throttled Class = "throttled"
	// Transient fails for the moment, with an answer.
	Transient Class = "transient"
	// Unreachable is gone: no connection can be made.
	Unreachable Class = "unreachable"
	// BadCredential takes nothing from who has the sink's credentials.
	BadCredential Class = "bad credential"
	// NoDestination has not what events go to.
	NoDestination Class = "no destination"
)

// ThrottledFor is how long a destination asks to wait.
const ThrottledFor = 7 * time.Second

// failuresAreClassified has the destination fail in every way that it can.
func failuresAreClassified(t *testing.T, h Harness) {
	if len(h.Fail) == 0 {
		t.Skip("the destination cannot fail in a way of its own")
	}
	for _, class := range []Class{Permanent, Throttled, Transient, BadCredential, NoDestination, Unreachable} {
		fail := h.Fail[class]
		if fail == nil {
			continue
		}
		s := open(t, h)
		fail(t)
		err := s.Send(t.Context(), Batch(0, 1))
		if err == nil {
			t.Errorf("%s: Send succeeded", class)
			continue
		}
		checkSecrets(t, h, err)
		if failed := sink.FailedOf(err, 1); failed != nil {
			err = failed[0]
		}
		want := promised(class)
		got := promise{sink.IsPermanent(err), sink.RetryAfter(err), sink.IsUnreachable(err), sink.CauseOf(err)}
		if got.after > 0 && got.after <= want.after { // a time that was sent as a date has gone on
			got.after = want.after
		}
		if class == Permanent {
			got.cause = want.cause // it is no matter of the connection
		}
		if got != want {
			t.Errorf("%s: Send = %v, which is %+v, want %+v", class, err, got, want)
		}
	}
}

// promise is what an error says of how to go on.
type promise struct {
	permanent   bool
	after       time.Duration
	unreachable bool
	cause       sink.Cause
}

func promised(class Class) promise {
	p := promise{cause: sink.DeliveryFailing}
	switch class {
	case Permanent:
		p.permanent = true
	case Throttled:
		p.after = ThrottledFor
	case Unreachable:
		p.unreachable, p.cause = true, sink.DestinationUnreachable
	case BadCredential:
		p.cause = sink.CredentialRefused
	case NoDestination:
		p.cause = sink.DestinationNotFound
	case Transient:
	}
	return p
}

// probesTell has a destination that is well, and then gone, probed.
func probesTell(t *testing.T, h Harness) {
	prober, ok := open(t, h).(sink.Prober)
	if !ok {
		t.Skip("the sink does not probe")
	}
	if err := prober.Probe(t.Context()); err != nil {
		t.Errorf("a probe of a destination that is well: %v", err)
	}
	if got := h.Received(t); len(got) != 0 {
		t.Errorf("a probe leaves %v", got)
	}
	for class, fail := range h.Fail {
		if class != Unreachable && class != NoDestination {
			continue
		}
		fail(t)
		err := prober.Probe(t.Context())
		if class == Unreachable && sink.CauseOf(err) != sink.DestinationUnreachable {
			t.Errorf("%s: a probe says %v", class, err)
		}
		checkSecrets(t, h, err)
	}
}

// maxBatch returns the largest number of messages that a sink takes at once.
func maxBatch(s sink.Sink) int {
	if limiter, ok := s.(sink.BatchLimiter); ok {
		return limiter.MaxBatch()
	}
	return math.MaxInt
}

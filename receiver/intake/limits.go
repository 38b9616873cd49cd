package intake

import (
	"sync/atomic"
	"time"

	"github.com/mailvane/mailvane/receiver/metrics"
)

// Every bound of the intake, with its reason.
const (
	// MaxHeaderBytes bounds a request's header block. The largest legitimate one seen is a signed MailChannels request, under 4 KiB.
	MaxHeaderBytes = 32 << 10
	// ReadHeaderTimeout bounds how long a client may take to send its headers.
	ReadHeaderTimeout = 10 * time.Second
	// ReadTimeout bounds headers and body of a request whose body nobody wants, because it is refused before: net/http waits for
	// such a body. A body that is read gets a deadline of its own, by its size.
	ReadTimeout = ReadHeaderTimeout + bodyTimeout
	// IdleTimeout is how long a connection is kept without a request; longer than the providers' pauses between events.
	IdleTimeout = 2 * time.Minute
	// WriteTimeout bounds the whole exchange of one request, body and durable storage included; one with a body that may take so
	// long has its body's time and answerTimeout instead.
	WriteTimeout = 3 * time.Minute
	// DefaultInFlightBytes bounds the memory for bodies that are being handled.
	DefaultInFlightBytes = 64 << 20

	// bodyTimeout is the time that any body is given, and bodyBytesPerSecond what a larger one adds to it: a client that
	// sends slower than that is cut.
	bodyTimeout        = 15 * time.Second
	bodyBytesPerSecond = 256 << 10

	// answerTimeout is the time from the last byte of a large body until its answer is written.
	answerTimeout = time.Minute

	// endpointShareDivisor is the part of the in-flight bytes that one endpoint may hold: 1/2, so that a flood at one
	// endpoint leaves room for the others.
	endpointShareDivisor = 2

	// firstChunk is what a body of unknown length is given at first; it doubles as the body grows.
	firstChunk = 16 << 10

	// maxKeptBytes bounds each of the two buffers that a request leaves to later ones: a batch of some 50 events.
	maxKeptBytes = 64 << 10

	// Retry-After values, in seconds.
	retryAfterBusy   = 5
	retryAfterFull   = 30
	retryAfterPaused = 60
)

// budget bounds the bytes in flight of one handler.
type budget struct {
	max     int64
	used    atomic.Int64
	metrics *metrics.Metrics
}

// admission is the outcome of asking a budget for bytes.
type admission int

const (
	admitted admission = iota
	endpointBusy
	receiverBusy
)

// reservation is the part of a budget that one request holds.
type reservation struct {
	budget   *budget
	endpoint *Endpoint
	held     int64
}

// grow makes the reservation n bytes large. A single request is admitted however large it is while nothing else is in
// flight: its own bound is the endpoint's maxBodySize. What is refused changes nothing.
func (r *reservation) grow(n int64) admission {
	b, e, more := r.budget, r.endpoint, n-r.held
	if more <= 0 {
		return admitted
	}
	if all := e.inFlight.Add(more); all > n && all > b.max/endpointShareDivisor {
		e.inFlight.Add(-more)
		b.metrics.Limit(metrics.LimitEndpointShare)
		return endpointBusy
	}
	all := b.used.Add(more)
	if all > n && all > b.max {
		b.used.Add(-more)
		e.inFlight.Add(-more)
		b.metrics.Limit(metrics.LimitInFlightBytes)
		return receiverBusy
	}
	r.held = n
	b.metrics.SetInFlightBytes(all)
	return admitted
}

func (r *reservation) release() {
	r.endpoint.inFlight.Add(-r.held)
	r.budget.metrics.SetInFlightBytes(r.budget.used.Add(-r.held))
}

// bodyDeadline returns until when a body of at most n bytes must have arrived.
func bodyDeadline(now time.Time, n int64) time.Time {
	return now.Add(bodyTimeout + time.Duration(n/bodyBytesPerSecond)*time.Second)
}

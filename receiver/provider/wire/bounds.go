package wire

import "fmt"

// Bounds of what one request may become. A body is bounded in bytes, but a short item or a short address may become an
// event or a dead letter of many times its size.
const (
	// maxItems is how many items of an array are taken; the largest documented batch has 1,000.
	maxItems = 10_000
	// maxFanOut is how many events the items of a request may become that are one event for each recipient.
	maxFanOut = 50_000
	// maxFanOutFactor is how many times as large as its body all of these events may be. With recipients of a common length and
	// 2 KB beside them it takes any number of recipients.
	maxFanOutFactor = 128
	// perEventBytes is what an event has beside its raw item, and a copy of what it repeats of that.
	perEventBytes = 1 << 10
)

// FanOut counts what the items of one request become that are one event for each recipient. The zero FanOut allows nothing but
// items of one recipient.
type FanOut struct {
	// BodyBytes is the length of the request's body.
	BodyBytes int

	events, bytes int
}

// Take counts the events of one item, or returns an error that says why there are too many. What is refused counts nothing.
func (f *FanOut) Take(p *Parallel) error {
	n := p.Len()
	if n == 1 {
		return nil
	}
	if f.events+n > maxFanOut {
		return fmt.Errorf("more than %d recipients in one request", maxFanOut)
	}
	bytes := n * (p.shared() + perEventBytes)
	if f.bytes+bytes > maxFanOutFactor*f.BodyBytes {
		return fmt.Errorf("one event for each of %d recipients, with a copy of the %d bytes beside them, would be more than %d times as large as the request", n, p.shared(), maxFanOutFactor)
	}
	f.events, f.bytes = f.events+n, f.bytes+bytes
	return nil
}

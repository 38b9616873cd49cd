package wire

// Bounds of what one request may become. A body is bounded in bytes, but a short item or a short address may become an
// event or a dead letter of many times its size.
const (
	// maxItems is how many items of an array are taken; the largest documented batch has 1,000.
	maxItems = 10_000
	// maxFanOutBytes is how many bytes the copies of the items of a request may have that become an event for each recipient.
	// A thousand recipients of a common length stay below it.
	maxFanOutBytes = 64 << 20
)

// FanOut is what the copies of the items of one request take together.
type FanOut struct{ bytes int }

// Allows says whether an item of raw may become n events, each with a copy of it, and counts the copies if so. Beyond the bound it
// stays one event with several recipients. One event is always allowed: it takes no copy.
func (f *FanOut) Allows(raw []byte, n int) bool {
	if n <= 1 {
		return true
	}
	if n > (maxFanOutBytes-f.bytes)/max(len(raw), 1) {
		return false
	}
	f.bytes += n * len(raw)
	return true
}

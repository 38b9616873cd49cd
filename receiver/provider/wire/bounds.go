package wire

// Bounds of what one request may become. A body is bounded in bytes, but a short item or a short address may become an
// event or a dead letter of many times its size.
const (
	// maxItems is how many items of an array are taken; the largest documented batch has 1,000.
	maxItems = 10_000
	// maxFanOutBytes is how many bytes the copies of one item may have when it becomes an event for each recipient. A
	// thousand recipients of a common length stay below it.
	maxFanOutBytes = 64 << 20
)

// FansOut says whether an item of raw may become n events, each with a copy of it. Beyond the bound it stays one
// event with all of its recipients.
func FansOut(raw []byte, n int) bool {
	return n <= maxFanOutBytes/max(len(raw), 1)
}

package endpoint

import "github.com/mailvane/mailvane/receiver/event"

// maxKeptBytes is how much memory of an arena is used again: a batch of some 50 events.
const maxKeptBytes = 64 << 10

// Arena is the memory that the encoded events of one request lie in. The zero value is ready.
type Arena struct{ encoded []byte }

// encode returns the encoded event. It is good until the arena is reset: slices that were handed out stay valid when it grows.
func (a *Arena) encode(e *event.Event, source string) ([]byte, error) {
	if len(a.encoded) > 0 && cap(a.encoded)-len(a.encoded) < event.EncodedSize(e) {
		a.encoded = make([]byte, 0, maxKeptBytes) // rather than to copy all that there is into twice as much
	}
	start := len(a.encoded)
	var err error
	a.encoded, err = event.AppendEncode(a.encoded, e, source)
	end := len(a.encoded)
	return a.encoded[start:end:end], err
}

// Reset gives the memory to a later request, so nothing may hold a part of it any more. A large one is let go.
func (a *Arena) Reset() {
	if cap(a.encoded) > maxKeptBytes {
		a.encoded = nil
	}
	a.encoded = a.encoded[:0]
}

// Scratch returns the memory, empty, for an answer once nothing of it is held any more. What is appended to it is given back with Keep.
func (a *Arena) Scratch() []byte { return a.encoded[:0] }

// Keep takes back what [Arena.Scratch] handed out and what it has become.
func (a *Arena) Keep(b []byte) { a.encoded = b }

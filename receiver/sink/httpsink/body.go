package httpsink

import (
	"io"
	"net/http"
	"sync"

	"github.com/mailvane/mailvane/receiver/sink"
)

// body is what a request holds: the envelopes of messages one after the other, as the elements of a JSON array if it is a list.
// They are not copied together.
type body struct {
	messages []sink.Message
	list     bool
}

// parts returns how many parts the body has, of which part returns one.
func (b body) parts() int {
	if b.list {
		return 2*len(b.messages) + 1
	}
	return len(b.messages)
}

func (b body) part(n int) []byte {
	switch {
	case !b.list:
		return b.messages[n].Envelope
	case n%2 == 1:
		return b.messages[n/2].Envelope
	case n == 0:
		return []byte("[")
	case n == b.parts()-1:
		return []byte("]")
	}
	return []byte(",")
}

func (b body) length() (n int64) {
	for i := range b.parts() {
		n += int64(len(b.part(i)))
	}
	return n
}

// attach makes b the body of a request, also if the client has to send it again on another connection. The client may go on with
// a body after it has given the answer: unused waits until it has not.
func (b body) attach(r *http.Request) (unused func()) {
	open := &sync.WaitGroup{}
	reader := func() io.ReadCloser {
		open.Add(1)
		return &bodyReader{body: b, closed: open.Done}
	}
	r.ContentLength = b.length()
	r.Body = reader()
	r.GetBody = func() (io.ReadCloser, error) { return reader(), nil }
	return open.Wait
}

// bodyReader reads a body once.
type bodyReader struct {
	body
	closed func()

	mu sync.Mutex // HTTP/2 closes a body that it is reading
	// next is the part after the one that is read, and rest what is left of that.
	next int
	rest []byte
	done bool
}

// Read fills p from as many parts as it takes.
func (r *bodyReader) Read(p []byte) (n int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.done {
		return 0, http.ErrBodyReadAfterClose
	}
	for n < len(p) {
		if len(r.rest) == 0 {
			if r.next == r.parts() {
				break
			}
			r.rest = r.part(r.next)
			r.next++
		}
		copied := copy(p[n:], r.rest)
		n, r.rest = n+copied, r.rest[copied:]
	}
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// Close says that the body is not used any more.
func (r *bodyReader) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.done {
		r.done = true
		r.closed()
	}
	return nil
}

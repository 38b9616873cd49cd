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
// a body after it has given the answer, and does not close every body that it asked for: the use ends them all, after which
// nothing of b is read.
func (b body) attach(r *http.Request) *use {
	use := &use{}
	r.ContentLength = b.length()
	r.Body = &bodyReader{body: b, use: use}
	r.GetBody = func() (io.ReadCloser, error) { return &bodyReader{body: b, use: use}, nil }
	return use
}

// use is the time during which the readers of a request may read its body.
type use struct {
	mu           sync.Mutex
	begun, ended bool
}

// hasBegun says whether the body was asked for, which the client does when it has a connection.
func (u *use) hasBegun() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.begun
}

func (u *use) end() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.ended = true
}

// bodyReader reads a body once.
type bodyReader struct {
	body
	use *use // its lock guards what follows, too: HTTP/2 closes a body that it is reading
	// next is the part after the one that is read, and rest what is left of that.
	next int
	rest []byte
	done bool
}

// Read fills p from as many parts as it takes.
func (r *bodyReader) Read(p []byte) (n int, err error) {
	r.use.mu.Lock()
	defer r.use.mu.Unlock()
	r.use.begun = true
	if r.done || r.use.ended {
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

// Close ends the reading.
func (r *bodyReader) Close() error {
	r.use.mu.Lock()
	defer r.use.mu.Unlock()
	r.done = true
	return nil
}

package httpsink

import (
	"io"
	"net/http"
)

// body is what a request holds, in parts that are read one after the other: the events of a batch are not copied together.
type body [][]byte

func (b body) length() int64 {
	n := 0
	for _, part := range b {
		n += len(part)
	}
	return int64(n)
}

// attach makes b the body of a request, so that the client may send it again on another connection.
func (b body) attach(r *http.Request) {
	r.ContentLength = b.length()
	r.Body = &bodyReader{rest: b}
	r.GetBody = func() (io.ReadCloser, error) { return &bodyReader{rest: b}, nil }
}

// bodyReader reads a body.
type bodyReader struct {
	rest body
	// read is how much of the first part was read.
	read int
}

// Read fills p from as many parts as it takes.
func (r *bodyReader) Read(p []byte) (n int, err error) {
	for n < len(p) && len(r.rest) > 0 {
		copied := copy(p[n:], r.rest[0][r.read:])
		n += copied
		r.read += copied
		if r.read == len(r.rest[0]) {
			r.rest, r.read = r.rest[1:], 0
		}
	}
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// Close does nothing: the parts belong to the sender.
func (*bodyReader) Close() error { return nil }

package intake

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/mailvane/mailvane/receiver/metrics"
)

// readBody reads the whole body, within the endpoint's size, the slowest pace and what may be in flight.
func (h *Handler) readBody(w http.ResponseWriter, r *http.Request, x *exchange) ([]byte, *problem) {
	if len(h.options.TrustedProxies) > 0 {
		x.reserved.client = shareOf(clientAddress(r, h.options.TrustedProxies))
	}
	x.pace = pace{body: r.Body, controller: http.NewResponseController(w), now: h.options.Now}
	x.pace.begin()
	var body []byte
	var err error
	if r.ContentLength >= 0 { // and not too large, which was checked before
		body, err = x.read(&x.pace, r.ContentLength, true)
		if int64(len(body)) < r.ContentLength && err == nil {
			err = io.ErrUnexpectedEOF
		}
	} else {
		x.pace.body = http.MaxBytesReader(w, r.Body, x.endpoint.MaxBodyBytes())
		body, err = x.read(&x.pace, x.endpoint.MaxBodyBytes()+1, false) // to see its end
	}
	x.pace.end(x.started)
	if err != nil {
		return nil, h.bodyProblem(err, x.endpoint)
	}
	return body, nil
}

// read reads a body of at most limit bytes, which may be its announced length. It holds no more than a few times what has arrived, whatever was announced: who
// announces much and sends nothing keeps nobody out.
func (x *exchange) read(r io.Reader, limit int64, announced bool) ([]byte, error) {
	size := min(limit, firstChunk)
	body := x.bodyOf(size, nil)
	for int64(len(body)) < limit {
		if len(body) == cap(body) {
			if size = grown(size); announced && limit <= 2*size { // a quarter is there: a large body is seldom copied
				size = limit
			}
			size = min(size, limit)
			if a := x.reserved.grow(size); a != admitted {
				return nil, &busyError{a}
			}
			body = x.bodyOf(size, body)
		}
		n, err := r.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	x.reserved.arrived()
	if a := x.reserved.grow(int64(len(body))); a != admitted {
		return nil, &busyError{a}
	}
	return body, nil
}

// grown returns how much memory a body is given that fills size bytes. A small one takes few steps.
func grown(size int64) int64 {
	if size < smallBytes {
		return 4 * size
	}
	return 2 * size
}

// busyError says that a body does not fit into what may be in flight.
type busyError struct{ admission admission }

func (*busyError) Error() string { return "too many bytes in flight" }

// pace reads a body and moves the deadline of the next bytes as it arrives. A writer that has no deadlines, as in a test, is bounded
// by its caller.
type pace struct {
	body       io.Reader
	controller *http.ResponseController
	now        func() time.Time
	began      bool
	late       bool
	since      int64 // bytes since the deadline was moved
}

func (p *pace) begin() { _ = p.controller.SetReadDeadline(p.now().Add(firstByteTimeout)) }

// Read implements io.Reader. It moves the deadline only when enough has arrived for it, so small pieces cost nothing.
func (p *pace) Read(b []byte) (int, error) {
	n, err := p.body.Read(b)
	p.since += int64(n)
	p.late = errors.Is(err, os.ErrDeadlineExceeded)
	if err == nil && (!p.began && n > 0 || p.since >= progressBytes) {
		p.began, p.since = true, 0
		_ = p.controller.SetReadDeadline(p.now().Add(progressTime))
	}
	return n, err
}

// end takes away a deadline that was met, and moves the end of an exchange whose body took long: what has arrived is also answered.
func (p *pace) end(started time.Time) {
	if !p.late {
		_ = p.controller.SetReadDeadline(time.Time{})
	}
	if answered := p.now().Add(answerTimeout); answered.After(started.Add(WriteTimeout)) {
		_ = p.controller.SetWriteDeadline(answered)
	}
}

func (h *Handler) bodyProblem(err error, e *site) *problem {
	if busy, ok := errors.AsType[*busyError](err); ok {
		return busy.admission.problem()
	}
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		e.metrics.Limit(metrics.LimitBody)
		e.NoteLarge(h.options.Now())
		return tooLarge(e.MaxBodyBytes())
	case errors.Is(err, os.ErrDeadlineExceeded):
		e.metrics.Limit(metrics.LimitBodyTime)
		return slowBody()
	default:
		return badBody("The body ended before its Content-Length, or its chunks are malformed.")
	}
}

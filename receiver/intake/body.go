package intake

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/mailvane/mailvane/receiver/metrics"
)

// readBody reads the whole body, within the endpoint's size, a deadline and what may be in flight.
func (h *Handler) readBody(w http.ResponseWriter, r *http.Request, x *exchange, reserved *reservation) ([]byte, *problem) {
	e, expected := reserved.endpoint, r.ContentLength
	if expected < 0 {
		expected = e.maxBodyBytes
	}
	giveTime(w, x.started, expected)
	var body []byte
	var err error
	if r.ContentLength >= 0 { // and not too large, which was checked before
		body, err = x.readKnown(r.Body, r.ContentLength, reserved)
	} else {
		body, err = readGrowing(http.MaxBytesReader(w, r.Body, e.maxBodyBytes), reserved)
	}
	if err == nil {
		return body, nil
	}
	return nil, h.bodyProblem(err, e)
}

// busyError says that a body does not fit into what may be in flight.
type busyError struct{ admission admission }

func (*busyError) Error() string { return "too many bytes in flight" }

// giveTime sets until when a body of at most n bytes must have arrived. A large one moves the end of the whole exchange as well: what
// arrives in time is also answered. A writer that has no deadlines, as in a test, is bounded by its caller.
func giveTime(w http.ResponseWriter, started time.Time, n int64) {
	arrived, c := bodyDeadline(started, n), http.NewResponseController(w)
	_ = c.SetReadDeadline(arrived)
	if answered := arrived.Add(answerTimeout); answered.After(started.Add(WriteTimeout)) {
		_ = c.SetWriteDeadline(answered)
	}
}

// readKnown reads a body of a known length.
func (x *exchange) readKnown(r io.Reader, length int64, reserved *reservation) ([]byte, error) {
	if a := reserved.grow(length); a != admitted {
		return nil, &busyError{a}
	}
	body := x.bodyOf(length)
	_, err := io.ReadFull(r, body)
	return body, err
}

// readGrowing reads a body of unknown length. It holds no more than twice what has arrived, rather than all that the endpoint
// would allow: a few chunked requests must not keep the others out.
func readGrowing(r io.Reader, reserved *reservation) ([]byte, error) {
	var body []byte
	for size := int64(firstChunk); ; size *= 2 {
		if a := reserved.grow(size); a != admitted {
			return nil, &busyError{a}
		}
		body = append(make([]byte, 0, size), body...)
		for len(body) < cap(body) {
			n, err := r.Read(body[len(body):cap(body)])
			body = body[:len(body)+n]
			if errors.Is(err, io.EOF) {
				return body, nil
			}
			if err != nil {
				return nil, err
			}
		}
	}
}

func (h *Handler) bodyProblem(err error, e *Endpoint) *problem {
	if busy, ok := errors.AsType[*busyError](err); ok {
		if busy.admission == endpointBusy {
			return busyEndpoint()
		}
		return unavailable("receiver-busy", "Too many bytes are in flight. Retry later.", retryAfterBusy)
	}
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		h.options.Metrics.Limit(metrics.LimitBody)
		return tooLarge(e.maxBodyBytes)
	case errors.Is(err, os.ErrDeadlineExceeded):
		h.options.Metrics.Limit(metrics.LimitBodyTime)
		return slowBody()
	default:
		return badBody("The body ended before its Content-Length, or its chunks are malformed.")
	}
}

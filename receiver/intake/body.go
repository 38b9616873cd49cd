package intake

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"

	"github.com/mailvane/mailvane/receiver/metrics"
)

// readBody reads the whole body, within the endpoint's size and a deadline.
func (h *Handler) readBody(w http.ResponseWriter, r *http.Request, e *Endpoint) ([]byte, *problem) {
	expected := e.maxBodyBytes
	if r.ContentLength >= 0 {
		expected = r.ContentLength
	}
	// A writer that has no deadlines, as in a test, is bounded by its caller.
	_ = http.NewResponseController(w).SetReadDeadline(bodyDeadline(h.options.Now(), expected))
	body, err := readAll(http.MaxBytesReader(w, r.Body, e.maxBodyBytes), r.ContentLength)
	if err == nil {
		return body, nil
	}
	return nil, h.bodyProblem(err, e)
}

// readAll reads with one allocation where the length is known.
func readAll(r io.Reader, length int64) ([]byte, error) {
	if length >= 0 {
		body := make([]byte, length)
		_, err := io.ReadFull(r, body)
		return body, err
	}
	var buffer bytes.Buffer
	_, err := buffer.ReadFrom(r)
	return buffer.Bytes(), err
}

func (h *Handler) bodyProblem(err error, e *Endpoint) *problem {
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

package endpoint

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"github.com/mailvane/mailvane/receiver/provider"
)

// gzipMagic is how a member of gzip begins that is compressed with deflate (RFC 1952 section 2.3.1).
const gzipMagic = "\x1f\x8b\x08"

// A body is inflated to at most inflatedAnyway bytes and maxInflation times its length, so that what a request costs stays in proportion to
// what arrived: deflate packs a thousand equal bytes into one, JSON and HTML hardly more than thirty.
const (
	maxInflation   = 100
	inflatedAnyway = 64 << 10
)

var errGzip = errors.New("the body is compressed (gzip) and broken")

// TakesGzip reports whether the provider may send bodies that are compressed with gzip.
func (e *Endpoint) TakesGzip() bool { return e.takesGzip }

// IsGzip reports whether Decode inflates the body of a request.
func (e *Endpoint) IsGzip(body []byte) bool {
	return e.takesGzip && bytes.HasPrefix(body, []byte(gzipMagic))
}

// inflate puts the inflated body in the place of a compressed one, whatever Content-Encoding says: the signature was checked over the bytes
// that were sent. What is larger than the endpoint's largest body, or many times what arrived, is not read further.
func (e *Endpoint) inflate(r *provider.Request) error {
	in, err := gzip.NewReader(bytes.NewReader(r.Body))
	if err != nil {
		return errGzip // its own errors may hold bytes of the header
	}
	limit := min(e.maxBodyBytes, inflatedAnyway+maxInflation*int64(len(r.Body)))
	body, err := io.ReadAll(io.LimitReader(in, limit+1))
	switch {
	case int64(len(body)) > e.maxBodyBytes:
		return fmt.Errorf("the body is compressed (gzip) and larger, inflated, than spec.maxBodySize, %d bytes", e.maxBodyBytes)
	case int64(len(body)) > limit:
		return fmt.Errorf("the body is compressed (gzip) and larger, inflated, than %d times what arrived, which no mail is", maxInflation)
	case err != nil:
		return errGzip
	}
	r.Body = body
	return nil
}

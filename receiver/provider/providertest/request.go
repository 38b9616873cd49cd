package providertest

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/mailvane/mailvane/receiver/provider"
)

// parse reads a whole HTTP request, which must hold exactly one.
func (s Suite) parse(t testing.TB, name string, data []byte) *provider.Request {
	t.Helper()
	in := bufio.NewReader(bytes.NewReader(data))
	parsed, err := http.ReadRequest(in)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	body, err := io.ReadAll(parsed.Body)
	if err != nil {
		t.Fatalf("%s: reading the body: %v", name, err)
	}
	if rest, err := io.ReadAll(in); err != nil || len(rest) > 0 {
		t.Fatalf("%s: %d bytes after the body: Content-Length is wrong", name, len(rest))
	}
	r := &provider.Request{Header: parsed.Header, Body: body, ReceivedAt: receipt()}
	if s.SignedAt != nil {
		r.ReceivedAt = s.SignedAt(r).Add(time.Second)
	}
	return r
}

func clone(r *provider.Request) *provider.Request {
	return &provider.Request{Header: r.Header.Clone(), Body: slices.Clone(r.Body), ReceivedAt: r.ReceivedAt}
}

package providertest

import (
	"slices"
	"testing"
	"time"

	"github.com/mailvane/mailvane/internal/simulate"
	"github.com/mailvane/mailvane/receiver/provider"
)

// request returns a sample as it arrives.
func (s Suite) request(t testing.TB, documented simulate.Sample) *provider.Request {
	t.Helper()
	r := &provider.Request{Header: documented.Header, Body: documented.Body, ReceivedAt: receipt()}
	if s.Resign {
		if err := s.vendor(t).Sign([]byte(s.Settings), s.SigningKey, r); err != nil {
			t.Fatalf("Sign: %v", err)
		}
	}
	if s.SignedAt != nil {
		r.ReceivedAt = s.SignedAt(r).Add(time.Second)
	}
	return r
}

func clone(r *provider.Request) *provider.Request {
	return &provider.Request{Header: r.Header.Clone(), Body: slices.Clone(r.Body), ReceivedAt: r.ReceivedAt}
}

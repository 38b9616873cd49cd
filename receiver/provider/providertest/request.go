package providertest

import (
	"slices"
	"time"

	"github.com/mailvane/mailvane/internal/simulate"
	"github.com/mailvane/mailvane/receiver/provider"
)

// request returns a sample as it arrives.
func (s Suite) request(documented simulate.Sample) *provider.Request {
	r := &provider.Request{Header: documented.Header, Body: documented.Body, ReceivedAt: receipt()}
	if s.SignedAt != nil {
		r.ReceivedAt = s.SignedAt(r).Add(time.Second)
	}
	return r
}

func clone(r *provider.Request) *provider.Request {
	return &provider.Request{Header: r.Header.Clone(), Body: slices.Clone(r.Body), ReceivedAt: r.ReceivedAt}
}

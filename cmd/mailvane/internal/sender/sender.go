// Package sender makes the requests that a provider would send to an endpoint: its documented samples, made fresh, signed
// and carrying the endpoint's further factors.
package sender

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/mailvane/mailvane/internal/simulate"
	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/provider"
)

// ErrNoSample says that a provider has no sample of that name.
var ErrNoSample = errors.New("no such event")

// Select returns the sample with a name, or all for "all".
func Select(samples []simulate.Sample, name string) ([]simulate.Sample, error) {
	if name == "all" {
		return samples, nil
	}
	known := make([]string, 0, len(samples))
	for i := range samples {
		if samples[i].Name == name {
			return samples[i : i+1], nil
		}
		known = append(known, samples[i].Name)
	}
	return nil, fmt.Errorf("%w %q; there are: %s", ErrNoSample, name, strings.Join(known, ", "))
}

// Target is an endpoint to send to.
type Target struct {
	// Vendor makes the requests of the endpoint's provider.
	Vendor simulate.Vendor
	// Endpoint is its rendered configuration, credentials included.
	Endpoint config.Endpoint
	// SigningKey is the private key for providers with asymmetric signatures, PKCS #8 PEM.
	SigningKey []byte
	// BaseURL is where the receiver listens.
	BaseURL string
}

// Request returns a sample as a request to the target. With a unique text it stands for a new event that happens now;
// without one it is sent as documented and only signed anew.
func (t *Target) Request(ctx context.Context, s *simulate.Sample, unique string, now time.Time) (*http.Request, error) {
	at, err := url.Parse(t.url())
	if err != nil {
		return nil, fmt.Errorf("address: %w", err)
	}
	p := &provider.Request{
		Method: http.MethodPost, Base: t.Endpoint.PublicURL, Host: at.Host, Path: at.EscapedPath(),
		Header: s.Header.Clone(), Body: s.Body, ReceivedAt: now,
	}
	if unique != "" {
		t.Vendor.Freshen(p, unique)
	}
	if err := t.Vendor.Sign(t.Endpoint.Provider.Settings, t.SigningKey, p); err != nil {
		return nil, fmt.Errorf("sign for endpoint %s/%s: %w", t.Endpoint.Namespace, t.Endpoint.Name, err)
	}
	r, err := http.NewRequestWithContext(ctx, p.Method, at.String(), bytes.NewReader(p.Body))
	if err != nil {
		return nil, fmt.Errorf("address: %w", err)
	}
	r.Header = p.Header
	t.authenticate(r)
	return r, nil
}

func (t *Target) url() string {
	address := strings.TrimSuffix(t.BaseURL, "/") + t.Endpoint.Path
	if tokens := t.Endpoint.Authentication.PathToken.Secrets; len(tokens) > 0 {
		address += "/" + tokens[0]
	}
	return address
}

func (t *Target) authenticate(r *http.Request) {
	a := &t.Endpoint.Authentication
	if len(a.Basic.Secrets) > 0 {
		r.SetBasicAuth(a.Basic.Secrets[0].Username, a.Basic.Secrets[0].Password)
	}
	if len(a.Header.Secrets) > 0 {
		r.Header.Set(a.Header.Name, a.Header.Secrets[0])
	}
}

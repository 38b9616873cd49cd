// Package sender makes the requests that a provider would send to an endpoint: its documented samples, made fresh, signed
// and carrying the endpoint's further factors.
package sender

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/provider"
)

// sampleSuffix ends the file name of a sample; what is before it is the sample's name.
const sampleSuffix = ".http"

// ErrNoSample says that a provider has no sample of that name.
var ErrNoSample = errors.New("no such event")

// Sample is one documented request of a provider.
type Sample struct {
	// Name is the file's name without its suffix, such as "messageBounce".
	Name string
	// Header and Body are the request's.
	Header http.Header
	Body   []byte
}

// Samples returns the documented requests of a provider, by name.
func Samples(kind *provider.Kind) ([]Sample, error) {
	if kind.Samples == nil {
		return nil, nil
	}
	files, err := fs.Glob(kind.Samples, "*"+sampleSuffix)
	if err != nil {
		return nil, fmt.Errorf("list samples: %w", err)
	}
	slices.Sort(files)
	out := make([]Sample, 0, len(files))
	for _, file := range files {
		s, err := readSample(kind.Samples, file)
		if err != nil {
			return nil, fmt.Errorf("sample %s: %w", file, err)
		}
		out = append(out, s)
	}
	return out, nil
}

func readSample(files fs.FS, file string) (Sample, error) {
	text, err := fs.ReadFile(files, file)
	if err != nil {
		return Sample{}, fmt.Errorf("read: %w", err)
	}
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(text)))
	if err != nil {
		return Sample{}, fmt.Errorf("parse: %w", err)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return Sample{}, fmt.Errorf("parse body: %w", err)
	}
	return Sample{Name: strings.TrimSuffix(path.Base(file), sampleSuffix), Header: r.Header, Body: body}, nil
}

// Select returns the sample with a name, or all for "all".
func Select(samples []Sample, name string) ([]Sample, error) {
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
	// Kind is the endpoint's provider.
	Kind provider.Kind
	// Endpoint is its rendered configuration, credentials included.
	Endpoint config.Endpoint
	// SigningKey is the private key for providers with asymmetric signatures, PKCS #8 PEM.
	SigningKey []byte
	// BaseURL is where the receiver listens.
	BaseURL string
}

// Request returns a sample as a request to the target. With a unique text it stands for a new event that happens now;
// without one it is sent as documented and only signed anew.
func (t *Target) Request(ctx context.Context, s *Sample, unique string, now time.Time) (*http.Request, error) {
	p := &provider.Request{Header: s.Header.Clone(), Body: s.Body, ReceivedAt: now}
	if unique != "" {
		p.Body = t.Kind.Freshen(s.Body, unique, now)
		for _, name := range t.Kind.DecodeHeaders {
			p.Header.Del(name) // an event id of the sample would make the event an old one
		}
	}
	if err := t.Kind.Sign(t.Endpoint.Provider.Settings, t.SigningKey, p); err != nil {
		return nil, fmt.Errorf("sign for endpoint %s/%s: %w", t.Endpoint.Namespace, t.Endpoint.Name, err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, t.url(), bytes.NewReader(p.Body))
	if err != nil {
		return nil, fmt.Errorf("address: %w", err)
	}
	r.Header = p.Header
	t.authenticate(r)
	return r, nil
}

func (t *Target) url() string {
	url := strings.TrimSuffix(t.BaseURL, "/") + t.Endpoint.Path
	if tokens := t.Endpoint.Authentication.PathToken.Secrets; len(tokens) > 0 {
		url += "/" + tokens[0]
	}
	return url
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

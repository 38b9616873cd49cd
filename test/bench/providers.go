package main

import (
	"context"
	"fmt"
	"runtime"
	"strconv"
	"time"

	"github.com/mailvane/mailvane/internal/simulate"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/keys"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/builtin"
)

const (
	// reference is the provider that the others are measured against.
	reference = "EmailEngine"
	// providerTime is how long the requests of one provider are handled.
	providerTime = 150 * time.Millisecond
)

// handled is what a provider's documented requests cost, one after the other on one processor.
type handled struct {
	bytes, events, allocations float64
	took, verifying            time.Duration
}

// providers measures what it costs to check, to decode and to encode the documented requests of each provider. A byte of some is worth
// more than that of others, and so is a signature by a public key: no provider may take more than ten times what the reference takes.
func providers(ctx context.Context, _ *workbench, o *options) ([]figure, error) {
	vendors := simulate.Vendors()
	measured := make([]costs, len(vendors))
	for range o.repeat {
		base, err := handle(ctx, reference)
		if err != nil {
			return nil, err
		}
		for i, v := range vendors {
			h, err := handle(ctx, v.Type)
			if err != nil {
				return nil, err
			}
			measured[i].add(&h, &base)
		}
	}
	var figures []figure
	for i, v := range vendors {
		figures = append(figures, measured[i].figures(v.Type)...)
	}
	return figures, nil
}

// costs are the measurements of one provider.
type costs struct{ rate, allocations, verifying, ratio samples }

func (c *costs) add(h, base *handled) {
	c.rate.add(h.events / h.took.Seconds())
	c.allocations.add(h.allocations / h.events)
	c.verifying.add(h.verifying.Seconds() / h.took.Seconds())
	c.ratio.add(h.bytes / h.took.Seconds() / (base.bytes / base.took.Seconds()))
}

func (c *costs) figures(name string) []figure {
	return []figure{
		{name: name + ": events per processor", unit: "events/s", samples: c.rate},
		{name: name + ": allocations per event", samples: c.allocations},
		{name: name + ": the signatures' share of the time", samples: c.verifying},
		{name: name + ": bytes/s over those of " + reference, samples: c.ratio, target: 0.1, atLeast: true},
	}
}

// handle handles the documented requests of a provider again and again.
func handle(ctx context.Context, providerType string) (handled, error) {
	webhook, requests, err := documented(ctx, providerType)
	if err != nil {
		return handled{}, fmt.Errorf("%s: %w", providerType, err)
	}
	var h handled
	var encoded []byte
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for began := time.Now(); h.took < providerTime; h.took = time.Since(began) {
		for _, r := range requests {
			arrived := time.Now()
			if _, err := webhook.Verify(ctx, r); err != nil {
				return handled{}, fmt.Errorf("%s: a documented request is refused: %w", providerType, err)
			}
			h.verifying += time.Since(arrived)
			batch := webhook.Decode(r)
			for i := range batch.Events {
				if encoded, err = event.AppendEncode(encoded[:0], &batch.Events[i], "/mailvane/mail/endpoint"); err != nil {
					return handled{}, fmt.Errorf("%s: %w", providerType, err)
				}
			}
			h.bytes, h.events = h.bytes+float64(len(r.Body)), h.events+float64(len(batch.Events))
		}
	}
	runtime.ReadMemStats(&after)
	h.allocations = float64(after.Mallocs - before.Mallocs)
	return h, nil
}

// documented returns a provider's endpoint and the requests that it accepts.
func documented(ctx context.Context, providerType string) (provider.Webhook, []*provider.Request, error) {
	vendor, known := simulate.Lookup(providerType)
	kind, alsoKnown := builtin.Lookup(providerType)
	if !known || !alsoKnown {
		return nil, nil, fmt.Errorf("there is no provider %s", strconv.Quote(providerType))
	}
	settings, err := vendor.Settings()
	if err != nil {
		return nil, nil, err
	}
	webhook, err := kind.New(settings, provider.Environment{Keys: &keys.Registry{}})
	if err != nil {
		return nil, nil, err
	}
	samples, err := vendor.Samples()
	if err != nil {
		return nil, nil, err
	}
	var requests []*provider.Request
	for _, s := range samples {
		r := &provider.Request{Header: s.Header, Body: s.Body, ReceivedAt: time.Date(2026, time.January, 2, 3, 4, 5, 0, time.UTC)}
		if _, err := webhook.Verify(ctx, r); err != nil { // it was signed at another time
			if err := vendor.Sign(settings, nil, r); err != nil {
				return nil, nil, err
			}
		}
		requests = append(requests, r)
	}
	return webhook, requests, nil
}

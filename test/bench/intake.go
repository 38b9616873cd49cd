package main

import (
	"context"
	"runtime"
	"time"

	"github.com/mailvane/mailvane/receiver/config"
)

const (
	connections = 64
	// warmUp requests are sent before each measurement: connections, memory and the branch predictor settle.
	warmUp = 2_000
)

// absentSinks are two sinks that nothing listens at: what intake costs is measured without what delivery costs.
func absentSinks() []config.Sink {
	return []config.Sink{sinkAt("a", "127.0.0.1:1"), sinkAt("b", "127.0.0.1:1")}
}

// receiving starts a receiver whose sinks take nothing, on a new folder.
func (w *workbench) receiving(ctx context.Context, endpoints int) (*receiver, error) {
	c, err := w.source.configuration(endpoints, absentSinks())
	if err != nil {
		return nil, err
	}
	return w.start(ctx, c, w.data())
}

// idleOfAll returns what a receiver holds that has an endpoint of each provider and nothing to do.
func (w *workbench) idleOfAll(ctx context.Context) (samples, error) {
	c, err := everyProvider(absentSinks())
	if err != nil {
		return nil, err
	}
	r, err := w.start(ctx, c, w.data())
	if err != nil {
		return nil, err
	}
	defer r.Kill()
	return samples{mebibytes(r.ResidentBytes())}, nil
}

// measured is one load with what the server needed for it.
type measured struct {
	load
	cpu time.Duration // of the server, per request
}

// intake measures single events: the two floors and a receiver in turn.
func intake(ctx context.Context, w *workbench, o *options) ([]figure, error) {
	r, err := w.receiving(ctx, 1)
	if err != nil {
		return nil, err
	}
	defer r.Kill()
	var rate, durable, tail, cpu, ownCPU, syncs, floorRate, durableRate, ownRate samples
	for range o.repeat {
		requests, err := w.source.bounces(ctx, o.requests+warmUp, 1)
		if err != nil {
			return nil, err
		}
		floor, err := measure(ctx, w.floor, w.helpers[0].CPUTime, requests)
		if err != nil {
			return nil, err
		}
		durableFloor, err := measure(ctx, w.durable, w.helpers[1].CPUTime, requests)
		if err != nil {
			return nil, err
		}
		before, err := r.metric(ctx, "mailvane_journal_syncs_total")
		if err != nil {
			return nil, err
		}
		own, err := measure(ctx, r.webhooks, r.CPUTime, requests)
		if err != nil {
			return nil, err
		}
		after, err := r.metric(ctx, "mailvane_journal_syncs_total")
		if err != nil {
			return nil, err
		}
		rate.add(own.perSecond() / floor.perSecond())
		durable.add(own.perSecond() / durableFloor.perSecond())
		durableRate.add(durableFloor.perSecond())
		tail.add(own.p99.Seconds() / floor.p99.Seconds())
		cpu.add(own.cpu.Seconds() / floor.cpu.Seconds())
		ownCPU.add(microseconds(own.cpu))
		syncs.add((after - before) / float64(len(requests)) * 1000)
		floorRate.add(floor.perSecond())
		ownRate.add(own.perSecond())
	}
	return []figure{
		{name: "single events: floor", unit: "requests/s", samples: floorRate},
		{name: "single events: durable floor", unit: "requests/s", samples: durableRate},
		{name: "single events: receiver", unit: "requests/s", samples: ownRate},
		{name: "single events: requests/s over the floor's", samples: rate},
		{name: "single events: requests/s over the durable floor's", samples: durable, target: 0.90, atLeast: true},
		{name: "single events: p99 latency over the floor's", samples: tail, target: 3},
		{name: "single events: processor time over the floor's", samples: cpu},
		{name: "single events: processor time per event", unit: "µs", samples: ownCPU},
		{name: "fsyncs per 1,000 single-event requests", samples: syncs, target: 60},
	}, nil
}

func measure(ctx context.Context, address string, cpuTime func() time.Duration, requests [][]byte) (measured, error) {
	if _, err := send(ctx, address, connections, requests[:warmUp]); err != nil {
		return measured{}, err
	}
	before := cpuTime()
	l, err := send(ctx, address, connections, requests[warmUp:])
	return measured{load: l, cpu: (cpuTime() - before) / time.Duration(max(l.requests, 1))}, err
}

// manyEndpoints measures single events with 1,000 endpoints against one.
func manyEndpoints(ctx context.Context, w *workbench, o *options) ([]figure, error) {
	const many = 1000
	var receivers []*receiver
	defer func() {
		for _, r := range receivers {
			r.Kill()
		}
	}()
	counts := []int{1, many}
	for _, endpoints := range counts {
		r, err := w.receiving(ctx, endpoints)
		if err != nil {
			return nil, err
		}
		receivers = append(receivers, r)
	}
	idle := [2]float64{mebibytes(receivers[0].ResidentBytes()), mebibytes(receivers[1].ResidentBytes())}
	var ratio samples
	for range o.repeat {
		var rates [2]float64
		for i, endpoints := range counts {
			requests, err := w.source.bounces(ctx, o.requests/2+warmUp, endpoints)
			if err != nil {
				return nil, err
			}
			m, err := measure(ctx, receivers[i].webhooks, receivers[i].CPUTime, requests)
			if err != nil {
				return nil, err
			}
			rates[i] = m.perSecond()
		}
		ratio.add(rates[1] / rates[0])
	}
	all, err := w.idleOfAll(ctx)
	if err != nil {
		return nil, err
	}
	return []figure{
		{name: "requests/s with 1,000 endpoints over those with 1", samples: ratio, target: 0.95, atLeast: true},
		{name: "memory, 1 endpoint, idle", unit: "MiB", samples: samples{idle[0]}, target: 40},
		{name: "memory, one endpoint of each provider, idle", unit: "MiB", samples: all, target: 40},
		{name: "memory, 1,000 endpoints, idle", unit: "MiB", samples: samples{idle[1]}, target: 100},
	}, nil
}

func microseconds(d time.Duration) float64 { return d.Seconds() * 1e6 }

func mebibytes(n int64) float64 { return float64(n) / (1 << 20) }

// batches measures MailChannels batches against decoding the same bodies and doing nothing else.
func batches(ctx context.Context, w *workbench, o *options) ([]figure, error) {
	r, err := w.receiving(ctx, 1)
	if err != nil {
		return nil, err
	}
	defer r.Kill()
	var ratio, own, ownCPU, floor samples
	for range o.repeat {
		requests, body, err := w.source.batches(ctx, max(o.requests/400, 20))
		if err != nil {
			return nil, err
		}
		before := r.CPUTime()
		l, err := send(ctx, r.webhooks, 2*runtime.NumCPU(), requests)
		if err != nil {
			return nil, err
		}
		ownCPU.add(microseconds(r.CPUTime()-before) / float64(l.requests*batchItems))
		decoded, err := decodeFloor(body, runtime.NumCPU(), l.took)
		if err != nil {
			return nil, err
		}
		items := l.perSecond() * batchItems
		own.add(items)
		floor.add(decoded)
		ratio.add(items / decoded)
	}
	return []figure{
		{name: "batches of 1,000: encoding/json alone", unit: "items/s", samples: floor},
		{name: "batches of 1,000: receiver", unit: "items/s", samples: own},
		{name: "batches of 1,000: processor time per item", unit: "µs", samples: ownCPU},
		{name: "batches of 1,000: items/s over those of encoding/json", samples: ratio, target: 0.25, atLeast: true},
	}, nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/history"
	"github.com/mailvane/mailvane/receiver/history/embedded"
)

const (
	// lookups is how many look-ups of a kind are timed.
	lookups = 2000
	// perRecipient and perMessage are how many events share a recipient and a message, so that look-ups find some.
	perRecipient = 10
	perMessage   = 4
)

// histories measures the embedded history by itself, and what it costs a receiver.
func histories(ctx context.Context, w *workbench, o *options) ([]figure, error) {
	stored, err := historyStore(ctx, w, o.backlog)
	if err != nil {
		return nil, err
	}
	ratio, err := historyIntake(ctx, w, o)
	return append(stored, ratio...), err
}

// historyEvent returns an event of about 1.3 KB, of which little is the same in another.
func historyEvent(random *rand.Rand, n int) (history.Event, error) {
	recipient := fmt.Sprintf("user.%x@customer-%d.example.com", n/perRecipient*2654435761%(1<<31), n/perRecipient%997)
	message := fmt.Sprintf("%016x.%08x@mail.example.com", rand.New(rand.NewPCG(1, uint64(n/perMessage))).Uint64(), n/perMessage) //nolint:gosec // a measurement
	types := []event.Type{event.Delivered, event.Opened, event.Clicked, event.Bounced}
	e := event.Event{
		ID: fmt.Sprintf("%016x%016x", random.Uint64(), random.Uint64()), Type: types[n%len(types)], Provider: "EmailEngine", ProviderEvent: "messageBounce",
		Time: time.Unix(1767323045+int64(n/20), int64(n%1000)*1e6), Recipient: recipient, MessageID: message,
		ProviderMessageID: fmt.Sprintf("%X", random.Uint64()), SMTPCode: 550, EnhancedCode: "5.1.1", IP: fmt.Sprintf("192.0.2.%d", random.IntN(256)),
		Reason:    "550 5.1.1 <" + recipient + ">: Recipient address rejected: User unknown in relay recipient table",
		UserAgent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36", Metadata: map[string]string{"order_id": fmt.Sprint(random.IntN(1 << 30))},
	}
	e.Raw = fmt.Appendf(nil, bounce, random.Uint64())
	payload, err := event.Encode(&e, event.Source("bench", "engine-0"))
	return history.Event{AcceptedAt: e.Time, Sinks: []string{"bench/a"}, Payload: payload}, err
}

// historyStore fills a history and looks events up in it.
func historyStore(ctx context.Context, w *workbench, events int) (out []figure, err error) {
	folder := w.data()
	defer func() { _ = os.RemoveAll(folder) }() // the whole folder goes in the end
	s, err := embedded.Open(embedded.Options{Dir: folder, MaxBytes: 64 << 30, Present: time.Now})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	plain, took, err := fillHistory(ctx, s, events)
	if err != nil {
		return nil, err
	}
	n := fmt.Sprintf("history of %d events: ", events)
	out = []figure{
		{name: n + "bytes of an event as it was accepted", samples: samples{plain}},
		{name: n + "bytes on the disk, with one attempt each", samples: samples{float64(s.Stats().UsedBytes) / float64(events)}, target: 400},
		{name: n + "events/s stored", samples: samples{float64(events) / took.Seconds()}},
	}
	for name, query := range map[string]func(n int, f *event.Facts) history.Query{
		"look-up by recipient, p99":  func(_ int, f *event.Facts) history.Query { return history.Query{Recipient: f.Recipient} },
		"look-up by message id, p99": func(_ int, f *event.Facts) history.Query { return history.Query{Message: f.MessageID} },
	} {
		p99, err := lookUp(ctx, s, events, query)
		if err != nil {
			return nil, err
		}
		out = append(out, figure{name: n + name, unit: "ms", samples: samples{p99}, target: 5})
	}
	slices.SortFunc(out[3:], func(a, b figure) int { return len(a.name) - len(b.name) })
	return out, nil
}

func fillHistory(ctx context.Context, s *embedded.Store, events int) (plain float64, took time.Duration, err error) {
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a measurement
	for stored := 0; stored < events; {
		var b history.Batch
		a := history.Attempt{Sink: "bench/a", At: time.Now(), Took: 3 * time.Millisecond, Outcome: history.Delivered}
		for range min(1000, events-stored) {
			e, err := historyEvent(random, stored)
			if err != nil {
				return 0, 0, err
			}
			id, source, err := event.OriginOf(e.Payload)
			if err != nil {
				return 0, 0, err
			}
			b.Events = append(b.Events, e)
			a.Events = append(a.Events, history.Sent{Key: history.KeyOf(id, source), AcceptedAt: e.AcceptedAt})
			plain += float64(len(e.Payload)) / float64(events)
			stored++
		}
		b.Attempts = []history.Attempt{a}
		begin := time.Now()
		if err := s.Append(ctx, b); err != nil {
			return 0, 0, err
		}
		took += time.Since(begin)
	}
	time.Sleep(2 * time.Second) // the next look at the space is a new one
	return plain, took, s.Append(ctx, history.Batch{})
}

// lookUp returns the p99 of look-ups of random events, in milliseconds, and wants each to find what it looks for.
func lookUp(ctx context.Context, s *embedded.Store, events int, query func(int, *event.Facts) history.Query) (p99 float64, err error) {
	random := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // a measurement
	var took []time.Duration
	for range lookups {
		n := random.IntN(events)
		e, err := historyEvent(random, n)
		if err != nil {
			return 0, err
		}
		facts, err := event.FactsOf(e.Payload)
		if err != nil {
			return 0, err
		}
		begin := time.Now()
		page, err := s.Search(ctx, query(n, &facts))
		took = append(took, time.Since(begin))
		if err != nil || len(page.Events) == 0 {
			return 0, fmt.Errorf("event %d was not found: %w", n, err)
		}
	}
	slices.Sort(took)
	return took[len(took)*99/100].Seconds() * 1000, nil
}

// historyIntake measures single events with a history and without, in turn.
func historyIntake(ctx context.Context, w *workbench, o *options) ([]figure, error) {
	c, err := w.source.configuration(1, absentSinks())
	if err != nil {
		return nil, err
	}
	var receivers [2]*receiver
	for i, kind := range []string{"None", "Embedded"} {
		if receivers[i], err = w.start(ctx, c, w.data(), "--history="+kind); err != nil {
			return nil, err
		}
		defer receivers[i].Kill()
	}
	idle := mebibytes(receivers[1].ResidentBytes())
	var ratio, cpu, missed samples
	for range o.repeat {
		var rates, times [2]float64
		for i, r := range receivers {
			requests, err := w.source.bounces(ctx, o.requests+warmUp, 1)
			if err != nil {
				return nil, err
			}
			m, err := measure(ctx, r.webhooks, r.CPUTime, requests)
			if err != nil {
				return nil, err
			}
			rates[i], times[i] = m.perSecond(), microseconds(m.cpu)
		}
		ratio.add(rates[1] / rates[0])
		cpu.add(times[1] - times[0])
		lost, err := receivers[1].metric(ctx, "mailvane_history_missed_total")
		if err != nil {
			return nil, err
		}
		missed.add(lost)
		for behind := 1.0; behind > 0; time.Sleep(100 * time.Millisecond) { // the next load must not be slowed down by the last one
			if behind, err = receivers[1].metric(ctx, `mailvane_journal_pending_events{sink="history"}`); err != nil {
				return nil, err
			}
		}
	}
	return []figure{
		{name: "single events: requests/s with a history over those without", samples: ratio, target: 0.8, atLeast: true},
		{name: "single events: processor time that the history takes meanwhile", unit: "µs", samples: cpu},
		{name: "events that the history missed", samples: missed, target: 0.5},
		{name: "memory with a history, idle", unit: "MiB", samples: samples{idle}, target: 40},
	}, nil
}

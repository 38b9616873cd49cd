package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/embedded"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/emailengine"
)

const (
	// perPost is how many events a batch to a sink holds, as in the configuration of the sinks.
	perPost = 500
	// posters is how many batches the bare client has under way, as the sinks' maxInFlight.
	posters = 32
)

// encodedBounce returns an event as the receiver stores it.
func encodedBounce(n int) (journal.Entry, error) {
	webhook, err := emailengine.Kind().New([]byte(engineSettings), provider.Environment{})
	if err != nil {
		return journal.Entry{}, err
	}
	p := &provider.Request{Header: http.Header{}, Body: fmt.Appendf(nil, bounce, n), ReceivedAt: time.Now()}
	decoded := webhook.Decode(p)
	if len(decoded.Events) != 1 {
		return journal.Entry{}, fmt.Errorf("the bounce is not one event: %+v", decoded)
	}
	payload, err := event.Encode(&decoded.Events[0], event.Source("bench", "engine-0"))
	return journal.Entry{Payload: payload, OrderingKey: decoded.Events[0].Key(), AcceptedAt: time.Now()}, err
}

// fill stores a backlog in a new folder.
func fill(ctx context.Context, folder string, events int, sinks ...string) error {
	j, err := embedded.Open(embedded.Options{Dir: folder, MaxBytes: 64 << 30, MinFreeBytes: 1}) //nolint:contextcheck // it is closed here
	if err != nil {
		return err
	}
	template, err := encodedBounce(0)
	if err != nil {
		return err
	}
	template.Sinks = sinks
	for stored := 0; stored < events; {
		var b journal.Batch
		for range min(1000, events-stored) {
			e := template
			e.DedupeKeys = []string{"bench\x00" + strconv.Itoa(stored)}
			b.Entries = append(b.Entries, e)
			stored++
		}
		if _, err := j.Append(ctx, b); err != nil {
			return err
		}
	}
	return j.Close()
}

// backlog returns a folder with a backlog for that many sinks, which is filled once and must be copied before it is used.
func (w *workbench) backlog(ctx context.Context, events, sinks int) (folder string, err error) {
	if w.backlogs[sinks] == "" {
		w.backlogs[sinks] = w.data()
		err = fill(ctx, w.backlogs[sinks], events, []string{"bench/a", "bench/b"}[:sinks]...)
	}
	return w.backlogs[sinks], err
}

// copied returns a copy of a folder.
func (w *workbench) copied(ctx context.Context, folder string) (string, error) {
	data := w.data()
	if out, err := exec.CommandContext(ctx, "cp", "-r", folder, data).CombinedOutput(); err != nil { //nolint:gosec // folders of our own
		return "", fmt.Errorf("copy: %w: %s", err, out)
	}
	// Else the first fsync of the receiver would wait for what the copy wrote.
	if err := exec.CommandContext(ctx, "sync").Run(); err != nil {
		return "", fmt.Errorf("sync: %w", err)
	}
	return data, nil
}

// drains measures how fast a backlog gets to one sink and to two.
func drains(ctx context.Context, w *workbench, o *options) (out []figure, err error) {
	var memory samples
	for _, sinks := range []int{1, 2} {
		d, err := drain(ctx, w, o, sinks)
		if err != nil {
			return nil, err
		}
		memory = append(memory, d.peak...)
		name := fmt.Sprintf("drain of %d events to %d sink(s)", o.backlog, sinks)
		out = append(out, figure{name: name, unit: "events/s each", samples: d.rate},
			figure{name: name + ": processor time per delivery", unit: "µs", samples: d.cpu},
			figure{name: name + ": events/s over those of a bare client", samples: d.ratio, target: 0.5, atLeast: true})
	}
	return append(out, figure{name: fmt.Sprintf("memory, draining %d events", o.backlog), unit: "MiB", samples: memory, target: 200}), nil
}

// startups measures the time from the start of the process to readiness.
func startups(ctx context.Context, w *workbench, o *options) ([]figure, error) {
	c, err := w.source.configuration(1, absentSinks())
	if err != nil {
		return nil, err
	}
	original, err := w.backlog(ctx, o.backlog, 1)
	if err != nil {
		return nil, err
	}
	empty := w.data()
	var ratio, with, without samples
	for range o.repeat {
		backlogged, err := w.copied(ctx, original)
		if err != nil {
			return nil, err
		}
		var took [2]time.Duration
		for i, data := range []string{empty, backlogged} {
			r, err := w.start(ctx, c, data)
			if err != nil {
				return nil, err
			}
			took[i] = r.started
			r.Kill()
		}
		if err := os.RemoveAll(backlogged); err != nil {
			return nil, err
		}
		without.add(took[0].Seconds() * 1000)
		with.add(took[1].Seconds() * 1000)
		ratio.add(took[1].Seconds() / took[0].Seconds())
	}
	return []figure{
		{name: "start to ready, no backlog", unit: "ms", samples: without},
		{name: fmt.Sprintf("start to ready, %d events", o.backlog), unit: "ms", samples: with},
		{name: "start with a backlog over start without", samples: ratio, target: 2},
	}, nil
}

// drained are the samples of one kind of drain.
type drained struct {
	// ratio is that of the rates, rate in events/s to each sink, cpu in microseconds per delivery, peak of memory in MiB.
	ratio, rate, cpu, peak samples
}

// drain measures how fast a backlog gets to its sinks, each repetition on a copy of the folder, against a bare client that posts
// the same events in the same batches to as many sinks.
func drain(ctx context.Context, w *workbench, o *options, sinks int) (d drained, err error) {
	folder, err := w.backlog(ctx, o.backlog, sinks)
	if err != nil {
		return d, err
	}
	for range min(o.repeat, 3) {
		bare, err := bareDrain(ctx, w.sinks[:sinks], o.backlog)
		if err != nil {
			return d, err
		}
		if err := d.own(ctx, w, folder, o.backlog, sinks); err != nil {
			return d, err
		}
		d.ratio.add(d.rate[len(d.rate)-1] / bare)
	}
	return d, nil
}

// own adds what one receiver does.
func (d *drained) own(ctx context.Context, w *workbench, folder string, events, sinks int) error {
	data, err := w.copied(ctx, folder)
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(data) }() // the whole folder goes in the end
	configured := make([]config.Sink, sinks)
	for i := range configured {
		configured[i] = sinkAt(string(rune('a'+i)), w.sinks[i])
	}
	c, err := w.source.configuration(1, configured)
	if err != nil {
		return err
	}
	begin := time.Now()
	r, err := w.start(ctx, c, data)
	if err != nil {
		return err
	}
	defer r.Kill()
	for peak := 0.0; ; time.Sleep(50 * time.Millisecond) {
		peak = max(peak, mebibytes(r.ResidentBytes()))
		delivered, err := r.metric(ctx, "mailvane_delivered_events_total")
		if err != nil {
			return err
		}
		if int(delivered) >= events*sinks {
			d.rate.add(float64(events) / time.Since(begin).Seconds())
			d.cpu.add(microseconds(r.CPUTime()) / delivered)
			d.peak.add(peak)
			return nil
		}
	}
}

// bareDrain posts the same batch again and again.
func bareDrain(ctx context.Context, sinks []string, events int) (perSecond float64, err error) {
	entry, err := encodedBounce(0)
	if err != nil {
		return 0, err
	}
	batch := append(bytes.Repeat(append(entry.Payload, ','), perPost-1), entry.Payload...)
	batch = append(append([]byte{'['}, batch...), ']')
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: posters}}
	defer client.CloseIdleConnections()
	var failed atomic.Pointer[error]
	var group sync.WaitGroup
	begin := time.Now()
	for _, address := range sinks {
		var posted atomic.Int64
		for range posters {
			group.Go(func() {
				for posted.Add(perPost) <= int64(events) {
					if err := post(ctx, client, address, batch); err != nil {
						failed.Store(&err)
						return
					}
				}
			})
		}
	}
	group.Wait()
	if e := failed.Load(); e != nil {
		return 0, *e
	}
	return float64(events) / time.Since(begin).Seconds(), nil
}

func post(ctx context.Context, client *http.Client, address string, body []byte) error {
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/", bytes.NewReader(body))
	if err != nil {
		return err
	}
	response, err := client.Do(q)
	if err != nil {
		return err
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%w: %s", errNotOK, response.Status)
	}
	return nil
}

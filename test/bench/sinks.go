package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/embedded"
)

// destination is a server that a backlog is drained to, by a receiver and by a bare client of the library that the receiver's sink uses.
type destination struct {
	name string
	// sink is the kind of sink and its settings.
	sink config.Plugin
	// send has the bare client send a batch, and waits for what the sink waits for. It is called by as many at a time as a sink has sends in flight.
	send func(ctx context.Context, batch []item) error
	// empty removes what the destination has.
	empty func(ctx context.Context) error
	close func() error
}

// item is an event as a sink gets it.
type item struct {
	id, key  string
	envelope []byte
}

// errMissing says that the machine has no such server.
var errMissing = errors.New("not installed")

// share is how many events are drained to a destination, of those that are drained to HTTP.
const share = 10

// destinations measures how fast a backlog gets to servers, over how fast a bare client does it.
func destinations(ctx context.Context, w *workbench, o *options) (out []figure, err error) {
	events := max(o.backlog/share, perPost)
	items, folder, err := distinct(ctx, w, events)
	if err != nil {
		return nil, err
	}
	for _, open := range []func(context.Context, *workbench) (*destination, error){openPostgreSQL, openKafka, openNATS, openRedis, openRabbitMQ} {
		d, err := open(ctx, w)
		if errors.Is(err, errMissing) {
			fmt.Fprintf(os.Stderr, "Left out: %v.\n", err)
			continue
		}
		if err != nil {
			return out, err
		}
		figures, err := d.measure(ctx, w, folder, items, min(o.repeat, 3))
		if err := errors.Join(err, d.close()); err != nil {
			return out, fmt.Errorf("%s: %w", d.name, err)
		}
		out = append(out, figures...)
	}
	return out, nil
}

// distinct returns events of which no two have the same id, and a folder with them as a backlog.
func distinct(ctx context.Context, w *workbench, events int) (items []item, folder string, err error) {
	folder = w.data()
	j, err := embedded.Open(embedded.Options{Dir: folder, MaxBytes: 64 << 30, MinFreeBytes: 1}) //nolint:contextcheck // it is closed here
	if err != nil {
		return nil, "", err
	}
	for len(items) < events {
		var b journal.Batch
		for range min(perPost, events-len(items)) {
			e, err := encodedBounce(len(items))
			if err != nil {
				return nil, "", err
			}
			e.Sinks, e.DedupeKeys = []string{"bench/a"}, []string{"bench\x00" + strconv.Itoa(len(items))}
			b.Entries = append(b.Entries, e)
			items = append(items, item{id: strconv.Itoa(len(items)), key: e.OrderingKey, envelope: e.Payload})
		}
		if _, err := j.Append(ctx, b); err != nil {
			return nil, "", err
		}
	}
	return items, folder, j.Close()
}

// measure has both send all events, in turn.
func (d *destination) measure(ctx context.Context, w *workbench, folder string, items []item, repeat int) ([]figure, error) {
	var rate, ratio samples
	for range repeat {
		if err := d.empty(ctx); err != nil {
			return nil, err
		}
		bare, err := d.bare(ctx, items)
		if err != nil {
			return nil, err
		}
		if err := d.empty(ctx); err != nil {
			return nil, err
		}
		own, err := d.own(ctx, w, folder, len(items))
		if err != nil {
			return nil, err
		}
		rate.add(own)
		ratio.add(own / bare)
	}
	name := fmt.Sprintf("drain of %d events to %s", len(items), d.name)
	return []figure{
		{name: name, unit: "events/s", samples: rate},
		{name: name + ": events/s over those of a bare client", samples: ratio, target: 0.5, atLeast: true},
	}, nil
}

// bare returns how many events a second the bare client sends.
func (d *destination) bare(ctx context.Context, items []item) (perSecond float64, err error) {
	var next atomic.Int64
	errs := make([]error, posters)
	begin := time.Now()
	var group sync.WaitGroup
	for n := range posters {
		group.Go(func() {
			for errs[n] == nil {
				end := int(next.Add(perPost))
				if end-perPost >= len(items) {
					return
				}
				errs[n] = d.send(ctx, items[end-perPost:min(end, len(items))])
			}
		})
	}
	group.Wait()
	return float64(len(items)) / time.Since(begin).Seconds(), errors.Join(errs...)
}

// own returns how many events a second a receiver sends, from its start.
func (d *destination) own(ctx context.Context, w *workbench, folder string, events int) (perSecond float64, err error) {
	data, err := w.copied(ctx, folder)
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.RemoveAll(data) }() // the whole folder goes in the end
	configured := sinkAt("a", "")
	configured.Kind = d.sink
	c, err := w.source.configuration(1, []config.Sink{configured})
	if err != nil {
		return 0, err
	}
	begin := time.Now()
	r, err := w.start(ctx, c, data)
	if err != nil {
		return 0, err
	}
	defer r.Kill()
	for ; ; time.Sleep(20 * time.Millisecond) {
		delivered, err := r.metric(ctx, "mailvane_delivered_events_total")
		if err != nil || int(delivered) >= events {
			return float64(events) / time.Since(begin).Seconds(), err
		}
		if time.Since(begin) > drainWithin {
			return 0, fmt.Errorf("%.0f of %d events are delivered after %s; see %s", delivered, events, drainWithin, w.log.Name())
		}
	}
}

// drainWithin bounds a drain that goes wrong.
const drainWithin = 5 * time.Minute

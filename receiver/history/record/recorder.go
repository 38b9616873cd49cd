// Package record feeds a history: with the events that a journal owes it, by a cursor of its own, and with what is told of attempts and of
// requests that were refused. Nobody waits for it. What the history cannot keep is let go, counted and said.
package record

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mailvane/mailvane/receiver/history"
	"github.com/mailvane/mailvane/receiver/journal"
)

const (
	// gatherPause is how long is waited for more to be kept in the same step.
	gatherPause = 100 * time.Millisecond
	// fetchEvents and fetchBytes bound what is kept in one step; one event is, however large it is.
	fetchEvents = 1024
	fetchBytes  = 2 << 20
	// maxTold bounds the events of attempts that wait to be kept, and maxToldRefusals the refusals.
	maxTold         = 1 << 16
	maxToldRefusals = 1024
	// patience is how long events wait in the journal for a history that takes none, and firstPause and lastPause bound the pauses between
	// two tries.
	patience   = time.Minute
	firstPause = 100 * time.Millisecond
	lastPause  = 5 * time.Second
	// maxLag is how old events may be when they are kept while the journal is filling, of which the history may hold back 1/journalShare.
	maxLag       = time.Minute
	journalShare = 4
	// closeTimeout bounds the last step.
	closeTimeout = 5 * time.Second
)

// Options are what a Recorder needs.
type Options struct {
	// Journal owes events to the history.
	Journal journal.Journal
	// Store keeps them; nil = there is no history, and what is owed to it from before is let go.
	Store history.Store
	// Unavailable says for people why there is no store although one was asked for.
	Unavailable string
	// Logger is told when the history stops keeping events, and when it does so again.
	Logger *slog.Logger
}

// Recorder feeds one history.
type Recorder struct {
	options Options

	mu       sync.Mutex
	attempts []history.Attempt
	told     int // events of attempts
	refusals []history.Refusal
	sampler  sampler
	wake     chan struct{}

	missed  atomic.Int64
	failing atomic.Pointer[string]

	stop context.CancelFunc
	work sync.WaitGroup
}

// New returns a Recorder. Start makes it work.
func New(o Options) *Recorder {
	return &Recorder{options: o, wake: make(chan struct{}, 1), sampler: newSampler()}
}

// Start begins to feed the history. It outlives ctx.
func (r *Recorder) Start(ctx context.Context) {
	ctx, r.stop = context.WithCancel(context.WithoutCancel(ctx))
	r.work.Go(func() { r.feed(ctx) })
	if r.options.Store != nil {
		r.work.Go(func() { r.flush(ctx) })
	}
}

// Stop ends the feeding, keeps what was told, and closes the store. What is still owed to the history stays in the journal.
func (r *Recorder) Stop(ctx context.Context) error {
	if r.stop != nil {
		r.stop()
		r.work.Wait()
	}
	if r.options.Store == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	r.keepTold(ctx)
	return r.options.Store.Close()
}

// Attempted is told of an attempt.
func (r *Recorder) Attempted(a history.Attempt) {
	if r.options.Store == nil || len(a.Events) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.told+len(a.Events) > maxTold {
		r.missed.Add(int64(len(a.Events)))
		return
	}
	r.attempts = append(r.attempts, a)
	r.told += len(a.Events)
	r.awake()
}

// Refused is told of a request that was refused. Of many to one endpoint a sample is kept.
func (r *Recorder) Refused(x history.Refusal) {
	if r.options.Store == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	more, kept := r.sampler.take(x.Endpoint, x.At, len(r.refusals) < maxToldRefusals)
	if !kept {
		return
	}
	x.More = more
	r.refusals = append(r.refusals, x)
	r.awake()
}

func (r *Recorder) awake() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Stats is what a recorder tells.
type Stats struct {
	history.Stats

	// Missed counts the events and attempts that were not kept.
	Missed int64
	// On says that there is a store.
	On bool
}

// Stats returns a snapshot.
func (r *Recorder) Stats() Stats {
	s := Stats{Missed: r.missed.Load(), On: r.options.Store != nil}
	if s.On {
		s.Stats = r.options.Store.Stats()
	}
	s.Problem = r.Problem()
	return s
}

// Problem says for people why the history keeps nothing now; empty = it does, or none was asked for.
func (r *Recorder) Problem() string {
	if text := r.failing.Load(); text != nil {
		return *text
	}
	return r.options.Unavailable
}

// feed keeps what the journal owes the history until ctx ends.
func (r *Recorder) feed(ctx context.Context) {
	q := r.options.Journal.Queue(journal.History)
	for ctx.Err() == nil {
		deliveries, err := q.Fetch(ctx, journal.Limit{Events: fetchEvents, Bytes: fetchBytes})
		switch {
		case errors.Is(err, journal.ErrClosed):
			return
		case err != nil:
			pause(ctx, time.Second)
			continue
		}
		outcome := journal.Settlement{Deliveries: deliveries, Outcome: journal.Delivered}
		if !r.keep(ctx, deliveries) {
			outcome.Outcome, outcome.At = journal.Defer, time.Now()
		}
		if err := q.Settle(context.WithoutCancel(ctx), []journal.Settlement{outcome}); err != nil && !errors.Is(err, journal.ErrClosed) {
			r.options.Logger.Warn("events of the history cannot be ticked off; they are kept again", "error", err)
		}
		if len(deliveries) < fetchEvents/2 {
			pause(ctx, gatherPause)
		}
	}
}

// keep keeps events, and reports whether the journal may forget them: they are kept, or the history cannot keep them and they have waited
// long enough. They are not waited for when the recorder stops.
func (r *Recorder) keep(ctx context.Context, deliveries []journal.Delivery) (done bool) {
	if r.options.Store == nil {
		return true
	}
	if r.isLate(deliveries) {
		r.miss(len(deliveries), errLate)
		return true
	}
	batch := history.Batch{Events: eventsOf(deliveries)}
	began, wait := time.Now(), firstPause
	for {
		err := r.options.Store.Append(ctx, batch)
		switch {
		case err == nil:
			r.kept()
			return true
		case ctx.Err() != nil:
			return false
		case errors.Is(err, history.ErrFull), r.failing.Load() != nil, time.Since(began) > patience, !r.mayHold():
			r.miss(len(deliveries), err)
			return true
		}
		pause(ctx, wait)
		wait = min(2*wait, lastPause)
	}
}

func eventsOf(deliveries []journal.Delivery) []history.Event {
	events := make([]history.Event, len(deliveries))
	for i := range deliveries {
		d := &deliveries[i]
		events[i] = history.Event{AcceptedAt: d.AcceptedAt, Sinks: d.Sinks, SinksUnknown: !d.SinksKnown, Payload: d.Payload}
	}
	return events
}

var errLate = errors.New("it is too slow for what comes in, and the journal is filling")

// isLate reports whether the history is behind while the journal needs the space that it holds back.
func (r *Recorder) isLate(deliveries []journal.Delivery) bool {
	return r.options.Journal.Present().Sub(deliveries[0].AcceptedAt) > maxLag && !r.mayHold()
}

// mayHold reports whether the journal has room for what the history has not kept yet.
func (r *Recorder) mayHold() bool {
	s := r.options.Journal.Stats()
	return s.MaxBytes == 0 || s.UsedBytes < s.MaxBytes/journalShare
}

// miss counts what is not kept, and says so the first time.
func (r *Recorder) miss(n int, cause error) {
	r.missed.Add(int64(n))
	text := fmt.Sprintf("events are missing in the history: %v", cause)
	if r.failing.Swap(&text) == nil {
		r.options.Logger.Error("the history does not keep events any more; they are delivered all the same", "error", cause)
	}
}

// kept notes that the history keeps events, again.
func (r *Recorder) kept() {
	if r.failing.Swap(nil) != nil {
		r.options.Logger.Info("the history keeps events again", "missed", r.missed.Load())
	}
}

// flush keeps what was told until ctx ends.
func (r *Recorder) flush(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.wake:
		}
		pause(ctx, gatherPause)
		r.keepTold(ctx)
	}
}

func (r *Recorder) keepTold(ctx context.Context) {
	r.mu.Lock()
	batch, told := history.Batch{Attempts: r.attempts, Refusals: r.refusals}, r.told
	r.attempts, r.refusals, r.told = nil, nil, 0
	r.mu.Unlock()
	if len(batch.Attempts)+len(batch.Refusals) == 0 {
		return
	}
	if err := r.options.Store.Append(context.WithoutCancel(ctx), batch); err != nil {
		r.missed.Add(int64(told))
	}
}

// pause waits, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

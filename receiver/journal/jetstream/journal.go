package jetstream

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nuid"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/age"
	"github.com/mailvane/mailvane/receiver/journal/jetstream/message"
	"github.com/mailvane/mailvane/receiver/journal/jetstream/owner"
	"github.com/mailvane/mailvane/receiver/journal/jetstream/publish"
	"github.com/mailvane/mailvane/receiver/journal/jetstream/streams"
)

// Journal implements [journal.Journal].
type Journal struct {
	options       Options
	process       string // names this process to the others
	instance      string // what its consumers' names hold of Options.Instance
	subjects      message.Subjects
	streams       streams.Settings
	confirmations message.Confirmations // of this process

	ctx    context.Context //nolint:containedctx // it ends with the journal
	cancel context.CancelFunc
	group  sync.WaitGroup
	woken  chan struct{}
	waits  atomic.Int64
	// readingOldest and burying say that the oldest events are being read, and dead letters handled, beside the passes.
	readingOldest, burying atomic.Bool

	events, dead *publish.Publisher
	session      atomic.Pointer[session] // nil before the first connection

	shares          journal.Shares
	mu              sync.Mutex
	checked         error // why the streams cannot be used; nil = they can
	opened          bool  // the streams could be used once
	appendProblem   string
	appendProblemAt time.Time
	foreign         string // why sinks are not fed, if it is because of a consumer that no receiver has made
	queues          map[string]*queue
	byID            map[string]*queue
	stats           journal.Stats
	crowded         crowded
	age             age.Clock
	servers         serverTime
	underReplicated map[string]string    // what is said of streams with too few replicas, by name
	pruneAt         time.Duration        // uptime of the next look for dead letters that are too old; of who handles them alone, as the following
	lifted          bool                 // the max age of their stream was taken off, or that was tried
	oldestReadAt    map[string]time.Time // when the oldest event was looked at, by sink
	presence        *owner.Presence      // of supervise alone
	answered        time.Time            // when a server last answered; of supervise alone
	closing         sync.Once
}

var errConnecting = errors.New("not connected to NATS yet")

// Open returns a journal at once. It connects in the background for as long as it takes; until then entries are refused with
// [journal.ErrUnavailable], and Stats says why. The error is about the options.
func Open(o Options) (*Journal, error) {
	o, err := o.complete()
	if err != nil {
		return nil, fmt.Errorf("open the JetStream journal: %w", err)
	}
	j := &Journal{
		options: o, subjects: message.Subjects(o.Name), process: nuid.Next(), instance: "anyone", woken: make(chan struct{}, 1), checked: errConnecting,
		queues: map[string]*queue{}, byID: map[string]*queue{}, underReplicated: map[string]string{},
	}
	place := "" // nobody's is taken
	if o.Instance != "" {
		j.instance = message.ID(o.Instance)
		place = j.instance
	}
	j.presence = owner.NewPresence(j.process, place, silentFor, time.Now)
	j.streams = streams.Settings{
		Name: o.Name, Subjects: []string{j.subjects.Sink(message.AllSinks), j.subjects.Key()}, DeadLetterSubject: j.subjects.DeadLetters(),
		Replicas: o.Replicas, MaxBytes: o.MaxBytes, DedupeWindow: o.DedupeWindow,
	}
	j.confirmations = j.subjects.Confirmations(j.process)
	j.stats = journal.Stats{Unopened: true, OldestAccepted: map[string]time.Time{}}
	j.oldestReadAt = map[string]time.Time{}
	j.ctx, j.cancel = context.WithCancel(context.Background())
	j.events, j.dead = publish.New(o.Replicas > 1, j.sender, &j.waits), publish.New(o.Replicas > 1, j.sender, &j.waits)
	j.group.Go(func() { j.events.Run(j.ctx) })
	j.group.Go(func() { j.dead.Run(j.ctx) })
	j.group.Go(j.supervise)
	return j, nil
}

// supervise keeps the connection, the streams and the ownership of sinks in order until the journal is closed.
func (j *Journal) supervise() {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for j.ctx.Err() == nil {
		j.runPass()
		select {
		case <-j.ctx.Done():
		case <-tick.C:
		case <-j.woken:
		}
	}
}

// runPass does one pass of supervise, and remembers what is wrong.
func (j *Journal) runPass() {
	err := j.pass()
	j.mu.Lock()
	defer j.mu.Unlock()
	if err != nil && j.ctx.Err() == nil && (j.checked == nil || j.checked.Error() != err.Error()) {
		j.options.Logger.Error("the journal cannot take events", "error", err)
	}
	if err == nil && j.checked != nil {
		j.options.Logger.Info("the journal takes events", "stream", j.options.Name)
		j.opened = true
	}
	j.checked = err
}

func (j *Journal) pass() error {
	s := j.session.Load()
	if s != nil && s.nc.IsClosed() {
		s = nil
	}
	if s == nil {
		var err error
		if s, err = j.connect(); err != nil {
			return err
		}
		j.answered = time.Now()
		j.session.Store(s)
	}
	err := j.poll(s)
	j.reconnectElsewhere(s, err)
	return err
}

// reconnectElsewhere looks for another server when the present one has not been able to answer for a while: it may be cut off from the others.
func (j *Journal) reconnectElsewhere(s *session, err error) {
	if !s.unanswered(err) {
		j.answered = time.Now()
	}
	if j.ctx.Err() != nil || time.Since(j.answered) < moveAfter || !s.nc.IsConnected() {
		return
	}
	j.answered = time.Now()
	j.options.Logger.Warn("looking for another NATS server: the present one cannot answer", "error", err)
	_ = s.nc.ForceReconnect() // the next pass tells
}

// wake asks for a pass at once.
func (j *Journal) wake() {
	select {
	case j.woken <- struct{}{}:
	default:
	}
}

// sender returns what messages are sent with now; nil = there is no connection yet.
func (j *Journal) sender() publish.Sender {
	if s := j.current(); s != nil {
		return s
	}
	return nil
}

func (j *Journal) current() *session { return j.session.Load() }

// usable returns an error when entries cannot even be tried.
func (j *Journal) usable() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.ctx.Err() != nil:
		return journal.ErrClosed
	case j.checked != nil && (!j.opened || errors.As(j.checked, new(*settingsError))):
		return fmt.Errorf("%w: %w", journal.ErrUnavailable, j.checked)
	}
	return nil
}

// Queue implements [journal.Journal].
func (j *Journal) Queue(sink string) journal.Queue { return j.queue(sink) }

func (j *Journal) queue(sink string) *queue {
	j.mu.Lock()
	defer j.mu.Unlock()
	q := j.queues[sink]
	if q == nil {
		q = newQueue(j, sink)
		j.queues[sink], j.byID[q.id] = q, q
	}
	return q
}

// allQueues returns the queues that somebody has asked for.
func (j *Journal) allQueues() map[string]*queue {
	j.mu.Lock()
	defer j.mu.Unlock()
	return maps.Clone(j.queues)
}

// SharedName implements [journal.Shared]: where the servers are, and the streams' name.
func (j *Journal) SharedName() string {
	return strings.Join(slices.Sorted(slices.Values(j.options.URLs)), ",") + " " + j.options.Name
}

// Stats implements [journal.Journal]. It is what was seen at the last pass, about a second ago.
func (j *Journal) Stats() journal.Stats {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := j.stats
	s.Pending, s.OldestAccepted = maps.Clone(s.Pending), maps.Clone(s.OldestAccepted)
	s.Syncs = j.waits.Load()
	s.Unopened = !j.opened
	switch {
	case j.checked != nil:
		s.Problem = j.checked.Error()
	case j.appendProblem != "":
		s.Problem = j.appendProblem
	case j.foreign != "":
		s.Problem = j.foreign
	}
	s.Warning = j.warning()
	return s
}

// closeTimeout bounds the wait of Close for the servers.
const closeTimeout = 3 * time.Second

// Close implements [journal.Journal]. What is leased is free for other processes when it returns.
func (j *Journal) Close() error {
	j.closing.Do(j.close)
	return nil
}

func (j *Journal) close() {
	j.cancel()
	j.group.Wait()
	s := j.session.Load()
	if s == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	var group sync.WaitGroup
	for _, q := range j.allQueues() {
		q.wake()
		group.Go(func() { q.release(ctx, s) })
	}
	group.Wait()
	s.nc.Close()
}

// settingsError says that the streams must not be used as they are.
type settingsError struct{ err error }

// Error implements error.
func (e *settingsError) Error() string { return e.err.Error() }

// Unwrap returns what is wrong.
func (e *settingsError) Unwrap() error { return e.err }

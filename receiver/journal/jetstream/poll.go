package jetstream

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/jetstream/message"
	"github.com/mailvane/mailvane/receiver/journal/jetstream/streams"
)

// poll looks at the streams and the consumers, and at what of it needs to be done.
func (j *Journal) poll(s *session) error {
	began := time.Now()
	ctx, cancel := context.WithTimeout(j.ctx, 2*requestTimeout)
	defer cancel()
	if j.unopened() {
		if err := j.ensure(ctx, s); err != nil {
			return err
		}
	}
	events, info, err := j.inspect(ctx, s, j.streams.Events(), jetstream.WithSubjectFilter(j.subjects.Sink(message.AllSinks)))
	if err != nil {
		return err
	}
	consumers, err := consumerNames(ctx, events)
	if err != nil {
		return fmt.Errorf("list the consumers of stream %s: %w", j.options.Name, s.denied.explain(err))
	}
	j.answered = time.Now() // another server would know no more of the dead letters
	j.note(info)
	j.own(ctx, &ownership{session: s, stream: events, names: consumers, at: began})
	for _, q := range j.allQueues() {
		q.resend(time.Now(), resendAfter)
	}
	if j.readingOldest.CompareAndSwap(false, true) {
		j.group.Go(func() {
			defer j.readingOldest.Store(false)
			j.forgetRemoved(events)
			j.readOldest(events)
		})
	}
	if j.burying.CompareAndSwap(false, true) {
		j.group.Go(func() {
			defer j.burying.Store(false)
			j.buryUnburied()
			j.liftMaxAge()
			j.prune()
		})
	}
	return j.pollDead(s)
}

// pollDead looks at the stream of the dead letters. What is wrong with it keeps no event from being delivered.
func (j *Journal) pollDead(s *session) error {
	ctx, cancel := context.WithTimeout(j.ctx, requestTimeout)
	defer cancel()
	_, dead, err := j.inspect(ctx, s, j.streams.DeadLetters())
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.stats.DeadLetters = int64(dead.State.Msgs)
	j.crowded.count(dead.State.Msgs)
	return nil
}

func (j *Journal) unopened() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return !j.opened
}

// ensure makes and checks both streams.
func (j *Journal) ensure(ctx context.Context, s *session) error {
	events, dead := j.streams.Events(), j.streams.DeadLetters()
	return errors.Join(s.ensure(ctx, &events), s.ensure(ctx, &dead))
}

// ensure makes a stream where it is missing, and checks it.
func (s *session) ensure(ctx context.Context, want *jetstream.StreamConfig) error {
	return streams.Ensure(ctx, s.js, want, s.denied.explain)
}

// inspect reads the state of a stream and checks that its settings still are right. A stream that has gone is made again where
// that is permitted.
func (j *Journal) inspect(ctx context.Context, s *session, want jetstream.StreamConfig, options ...jetstream.StreamInfoOpt) (jetstream.Stream, *jetstream.StreamInfo, error) {
	stream, err := s.handle(ctx, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		if err := s.ensure(ctx, &want); err != nil {
			return nil, nil, err
		}
		stream, err = s.handle(ctx, want.Name)
	}
	var info *jetstream.StreamInfo
	if err == nil {
		info, err = stream.Info(ctx, options...)
	}
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		delete(s.handles, want.Name) // the next pass makes it again
	}
	if err != nil {
		return nil, nil, fmt.Errorf("stream %s cannot be read: %w", want.Name, s.denied.explain(err))
	}
	if err := streams.Check(&info.Config, &want); err != nil {
		return nil, nil, &settingsError{err}
	}
	j.noteReplicas(&info.Config, &want)
	return stream, info, nil
}

// noteReplicas remembers whether a stream that Mailvane has made is kept on fewer servers than it should be: somebody has scaled it since.
// It works, and another receiver of ours may want fewer for a while; it is adapted when a receiver starts.
func (j *Journal) noteReplicas(have, want *jetstream.StreamConfig) {
	text := ""
	if have.Replicas < want.Replicas {
		text = fmt.Sprintf("stream %s is kept on %d servers and should be on %d; scale it with nats stream edit %s --replicas %d, or restart a receiver",
			have.Name, have.Replicas, want.Replicas, have.Name, want.Replicas)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if text != "" && j.underReplicated[have.Name] == "" {
		j.options.Logger.Error("a stream has lost replicas", "problem", text)
	}
	j.underReplicated[have.Name] = text
}

// warning says what is amiss although events are taken. The lock is held.
func (j *Journal) warning() string {
	var texts []string
	if j.crowded.full {
		texts = append(texts, journal.NoRoomForDeadLetters)
	}
	for _, name := range slices.Sorted(maps.Keys(j.underReplicated)) {
		if j.underReplicated[name] != "" {
			texts = append(texts, j.underReplicated[name])
		}
	}
	return strings.Join(texts, "; ")
}

// handle returns what a stream is read with. Only supervise uses it.
func (s *session) handle(ctx context.Context, name string) (jetstream.Stream, error) {
	if h, ok := s.handles[name]; ok {
		return h, nil
	}
	h, err := s.js.Stream(ctx, name)
	if err == nil {
		s.handles[name] = h
	}
	return h, err
}

func consumerNames(ctx context.Context, s jetstream.Stream) ([]string, error) {
	var names []string
	lister := s.ConsumerNames(ctx)
	for name := range lister.Name() {
		names = append(names, name)
	}
	return names, lister.Err()
}

// note takes the statistics over.
func (j *Journal) note(info *jetstream.StreamInfo) {
	pending := make(map[string]int64, len(info.State.Subjects))
	for subject, count := range info.State.Subjects {
		if name, ok := j.subjects.SinkOf(subject); ok {
			pending[name] = int64(count)
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.noteTime(info.TimeStamp)
	j.stats.Pending = pending
	maps.DeleteFunc(j.stats.OldestAccepted, func(sink string, _ time.Time) bool { return pending[sink] == 0 })
	maps.DeleteFunc(j.oldestReadAt, func(sink string, _ time.Time) bool { return pending[sink] == 0 })
	j.stats.UsedBytes, j.stats.MaxBytes = int64(info.State.Bytes), max(info.Config.MaxBytes, 0)
	if j.appendProblem != "" && time.Since(j.appendProblemAt) > 5*pollInterval {
		j.appendProblem = "" // the next entry will tell
	}
}

// forgetRemoved has each queue forget what the servers have removed, beside the passes: with many sinks it may take long.
func (j *Journal) forgetRemoved(events jetstream.Stream) {
	ctx, cancel := context.WithTimeout(j.ctx, oldestInterval)
	defer cancel()
	for _, q := range j.allQueues() {
		q.forgetRemoved(ctx, events)
	}
}

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
	events, info, err := j.inspect(ctx, s, j.eventStream(), jetstream.WithSubjectFilter(j.sinkSubject("*")))
	if err != nil {
		return err
	}
	consumers, err := consumerNames(ctx, events)
	if err != nil {
		return fmt.Errorf("list the consumers of stream %s: %w", j.options.Name, s.denied.explain(err))
	}
	j.answered = time.Now() // another server would know no more of the dead letters
	j.note(info)
	j.own(ctx, &census{session: s, stream: events, names: consumers, at: began})
	for _, q := range j.allQueues() {
		q.resend(time.Now(), resendAfter)
	}
	if j.looking.CompareAndSwap(false, true) {
		j.group.Go(func() {
			defer j.looking.Store(false)
			j.forgetRemoved(events)
			j.lookForOldest(events)
		})
	}
	return j.pollDead(s)
}

// pollDead looks at the stream of the dead letters. What is wrong with it keeps no event from being delivered.
func (j *Journal) pollDead(s *session) error {
	ctx, cancel := context.WithTimeout(j.ctx, requestTimeout)
	defer cancel()
	_, dead, err := j.inspect(ctx, s, j.deadStream())
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.stats.DeadLetters = int64(dead.State.Msgs)
	return nil
}

func (j *Journal) unopened() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return !j.opened
}

// ensure makes and checks both streams.
func (j *Journal) ensure(ctx context.Context, s *session) error {
	events, dead := j.eventStream(), j.deadStream()
	return errors.Join(s.ensure(ctx, &events), s.ensure(ctx, &dead))
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
		delete(s.handles, want.Name) // the next round makes it again
	}
	if err != nil {
		return nil, nil, fmt.Errorf("stream %s cannot be read: %w", want.Name, s.denied.explain(err))
	}
	if err := violations(&info.Config, &want); err != nil {
		return nil, nil, &settingsError{err}
	}
	return stream, info, nil
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
		if name, ok := sinkName(subject[strings.LastIndexByte(subject, '.')+1:]); ok {
			pending[name] = int64(count)
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.stats.Pending = pending
	maps.DeleteFunc(j.stats.OldestAccepted, func(sink string, _ time.Time) bool { return pending[sink] == 0 })
	maps.DeleteFunc(j.lookedAt, func(sink string, _ time.Time) bool { return pending[sink] == 0 })
	j.stats.UsedBytes, j.stats.MaxBytes = int64(info.State.Bytes), max(info.Config.MaxBytes, 0)
	if j.appendProblem != "" && time.Since(j.appendProblemAt) > 5*pollInterval {
		j.appendProblem = "" // the next entry will tell
	}
}

// forgetRemoved has each queue forget what the servers have removed, beside the rounds: with many sinks it may take long.
func (j *Journal) forgetRemoved(events jetstream.Stream) {
	ctx, cancel := context.WithTimeout(j.ctx, oldestInterval)
	defer cancel()
	for _, q := range j.allQueues() {
		q.forgetRemoved(ctx, events)
	}
}

// lookForOldest finds out when the oldest event of each sink was accepted, beside the rounds: with many sinks it may take long,
// and only the statistics need it. What it does not reach in time is first the next time.
func (j *Journal) lookForOldest(events jetstream.Stream) {
	ctx, cancel := context.WithTimeout(j.ctx, oldestInterval)
	defer cancel()
	for _, sink := range j.unlooked() {
		if ctx.Err() != nil {
			return
		}
		j.lookAt(ctx, events, sink)
	}
}

// unlooked returns the sinks with events whose oldest was not looked at for a while, the longest first.
func (j *Journal) unlooked() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	var sinks []string
	for sink := range j.stats.Pending {
		if time.Since(j.lookedAt[sink]) >= oldestInterval {
			sinks = append(sinks, sink)
		}
	}
	slices.SortFunc(sinks, func(a, b string) int { return j.lookedAt[a].Compare(j.lookedAt[b]) })
	return sinks
}

// lookAt looks at the oldest event of one sink. After a failure it is the sink's turn again when all others had theirs.
func (j *Journal) lookAt(ctx context.Context, events jetstream.Stream, sink string) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	first, err := events.GetMsg(ctx, 1, jetstream.WithGetMsgSubject(j.sinkSubject(sinkToken(sink))))
	j.mu.Lock()
	defer j.mu.Unlock()
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		delete(j.stats.OldestAccepted, sink) // delivered meanwhile; the next round knows whether there is more
		return
	}
	j.lookedAt[sink] = time.Now()
	if err != nil {
		return
	}
	if at := acceptedAt(first.Header); !at.IsZero() {
		j.stats.OldestAccepted[sink] = at
	}
}

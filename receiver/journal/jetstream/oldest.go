package jetstream

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/mailvane/mailvane/receiver/journal/jetstream/message"
)

// readOldest finds out when the oldest event of each sink was accepted, beside the passes: with many sinks it may take long,
// and only the statistics need it. What it does not reach in time is first the next time.
func (j *Journal) readOldest(events jetstream.Stream) {
	ctx, cancel := context.WithTimeout(j.ctx, oldestInterval)
	defer cancel()
	for _, sink := range j.sinksToRead() {
		if ctx.Err() != nil {
			return
		}
		j.readOldestOf(ctx, events, sink)
	}
}

// sinksToRead returns the sinks with events whose oldest was not looked at for a while, the longest first.
func (j *Journal) sinksToRead() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	var sinks []string
	for sink := range j.stats.Pending {
		if time.Since(j.oldestReadAt[sink]) >= oldestInterval {
			sinks = append(sinks, sink)
		}
	}
	slices.SortFunc(sinks, func(a, b string) int { return j.oldestReadAt[a].Compare(j.oldestReadAt[b]) })
	return sinks
}

// readOldestOf looks at the oldest event of one sink. After a failure it is the sink's turn again when all others had theirs.
func (j *Journal) readOldestOf(ctx context.Context, events jetstream.Stream, sink string) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	first, err := events.GetMsg(ctx, 1, jetstream.WithGetMsgSubject(j.subjects.Sink(sink)))
	j.mu.Lock()
	defer j.mu.Unlock()
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		delete(j.stats.OldestAccepted, sink) // delivered meanwhile; the next pass knows whether there is more
		return
	}
	j.oldestReadAt[sink] = time.Now()
	if err != nil {
		return
	}
	if at := message.AcceptedAt(first.Header); !at.IsZero() {
		j.stats.OldestAccepted[sink] = at
	}
}

package jetstream

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/jetstream/message"
	"github.com/mailvane/mailvane/receiver/journal/jetstream/publish"
)

// deadLetters implements [journal.DeadLetters].
type deadLetters struct{ journal *Journal }

// DeadLetters implements [journal.Journal].
func (j *Journal) DeadLetters() journal.DeadLetters { return deadLetters{j} }

// stream returns the stream of the dead letters.
func (d deadLetters) stream(ctx context.Context) (jetstream.Stream, error) {
	if d.journal.ctx.Err() != nil {
		return nil, journal.ErrClosed
	}
	s := d.journal.current()
	if s == nil {
		return nil, fmt.Errorf("%w: %w", journal.ErrUnavailable, publish.ErrNotConnected)
	}
	stream, err := s.js.Stream(ctx, d.journal.streams.DeadLetters().Name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", journal.ErrUnavailable, s.denied.explain(err))
	}
	return stream, nil
}

// listTimeout bounds the wait for the servers to send a page that they have.
const listTimeout = 10 * time.Second

var errBehind = errors.New("a replica is behind the leader")

// List implements [journal.DeadLetters]. It leaves the headers of the request out, too.
func (d deadLetters) List(ctx context.Context, after uint64, limit int) ([]journal.DeadLetter, error) {
	stream, err := d.stream(ctx)
	if err != nil {
		return nil, err
	}
	consumer, err := stream.CreateConsumer(ctx, jetstream.ConsumerConfig{
		Name: nuid.Next(), DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: after + 1, HeadersOnly: true,
		AckPolicy: jetstream.AckNonePolicy, InactiveThreshold: time.Minute, MemoryStorage: true, Replicas: 1,
	})
	if err != nil {
		return nil, unavailable(err)
	}
	defer func() { _ = stream.DeleteConsumer(context.WithoutCancel(ctx), consumer.CachedInfo().Name) }() // else it goes by itself
	var letters []journal.DeadLetter
	for next := min(int(consumer.CachedInfo().NumPending), limit); ; next = 1 {
		page, err := fetchLetters(consumer, next)
		if err == nil && len(page) < next {
			err = errBehind
		}
		if err != nil {
			return nil, unavailable(err)
		}
		letters = append(letters, page...)
		if len(page) > 0 {
			after = page[len(page)-1].ID
		}
		// The replica that the consumer reads may be behind the leader, which knows whether there is more.
		_, err = stream.GetMsg(ctx, after+1, jetstream.WithGetMsgSubject(d.journal.subjects.DeadLetters()))
		if errors.Is(err, jetstream.ErrMsgNotFound) || len(letters) == limit {
			return letters, nil
		}
		if err != nil {
			return nil, unavailable(err)
		}
	}
}

// fetchLetters returns the next count dead letters of a consumer.
func fetchLetters(c jetstream.Consumer, count int) ([]journal.DeadLetter, error) {
	if count == 0 {
		return nil, nil
	}
	page, err := c.Fetch(count, jetstream.FetchMaxWait(listTimeout))
	if err != nil {
		return nil, err
	}
	letters := make([]journal.DeadLetter, 0, count)
	for m := range page.Messages() {
		meta, err := m.Metadata()
		if err != nil {
			return nil, err
		}
		l, err := message.ReadLetter(meta.Sequence.Stream, m.Headers(), nil)
		if err != nil {
			return nil, err
		}
		letters = append(letters, l)
	}
	return letters, page.Error()
}

func unavailable(err error) error {
	return fmt.Errorf("%w: read the dead letters: %w", journal.ErrUnavailable, err)
}

// Get implements [journal.DeadLetters].
func (d deadLetters) Get(ctx context.Context, id uint64) (journal.DeadLetter, error) {
	stream, err := d.stream(ctx)
	if err != nil {
		return journal.DeadLetter{}, err
	}
	m, err := stream.GetMsg(ctx, id)
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return journal.DeadLetter{}, journal.ErrNotFound
	case err != nil:
		return journal.DeadLetter{}, unavailable(err)
	}
	return message.ReadLetter(id, m.Header, m.Data)
}

// dropsAtOnce bounds the removals under way.
const dropsAtOnce = 32

// Drop implements [journal.DeadLetters].
func (d deadLetters) Drop(ctx context.Context, ids []uint64) (int, error) {
	stream, err := d.stream(ctx)
	if err != nil {
		return 0, err
	}
	var mu sync.Mutex
	var group sync.WaitGroup
	dropped, failures := 0, []error(nil)
	slots := make(chan struct{}, dropsAtOnce)
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			err := stream.DeleteMsg(ctx, id)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				dropped++
			case !errors.Is(err, jetstream.ErrMsgNotFound) && !errors.Is(err, jetstream.ErrMsgDeleteUnsuccessful):
				failures = append(failures, fmt.Errorf("%w: drop dead letter %d: %w", journal.ErrUnavailable, id, err))
			}
		})
	}
	group.Wait()
	d.journal.wake()
	return dropped, errors.Join(failures...)
}

package handoff

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"

	"golang.org/x/sync/errgroup"

	"github.com/mailvane/mailvane/receiver/journal"
)

// The bounds of a parcel. One event or dead letter is sent however large it is.
const (
	parcelEvents = 500
	parcelBytes  = 4 << 20
	// parcelsAtOnce bounds the parcels under way: they share the peer's waits for stable storage.
	parcelsAtOnce = 4
)

// Recaller is a journal that can be emptied while it is open.
type Recaller interface {
	journal.Journal
	// Recall ends every lease and makes everything that is owed due at once, as after a restart.
	Recall() error
}

// sender empties one journal.
type sender struct {
	journal journal.Journal
	peers   *Peers
	client  *http.Client
	origin  string
}

// Empty gives everything that j holds, dead letters included, to peers, until nothing is left or ctx ends. Nothing else may
// use j meanwhile. It returns how many events and dead letters peers have; the error says why others are left.
func Empty(ctx context.Context, j Recaller, peers *Peers) (moved int, err error) {
	if err := j.Recall(); err != nil {
		return 0, fmt.Errorf("hand off: %w", err)
	}
	s := &sender{journal: j, peers: peers, client: newClient(), origin: rand.Text()}
	defer s.client.CloseIdleConnections()
	before := Held(j)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parcelsAtOnce)
	group.Go(func() error { return s.deadLetters(ctx) })
	for sink := range j.Stats().Pending {
		group.Go(func() error { return s.queue(ctx, sink) })
	}
	err = group.Wait()
	return before - Held(j), err
}

// Held returns how many deliveries and dead letters a journal holds.
func Held(j journal.Journal) int {
	s := j.Stats()
	n := s.DeadLetters
	for _, pending := range s.Pending {
		n += pending
	}
	return int(n)
}

// queue empties the queue of a sink.
func (s *sender) queue(ctx context.Context, sink string) error {
	q := s.journal.Queue(sink)
	for s.journal.Stats().Pending[sink] > 0 {
		deliveries, err := q.Fetch(ctx, journal.Limit{Events: parcelEvents, Bytes: parcelBytes})
		if err != nil {
			return fmt.Errorf("hand off: %w", err)
		}
		if err := s.peers.give(ctx, s.client, &parcel{Origin: s.origin, Sink: sink, Deliveries: deliveries}); err != nil {
			return err
		}
		if err := q.Settle(ctx, []journal.Settlement{{Deliveries: deliveries, Outcome: journal.Delivered}}); err != nil {
			return fmt.Errorf("hand off: %w", err)
		}
	}
	return nil
}

// deadLetters moves the dead letters.
func (s *sender) deadLetters(ctx context.Context) error {
	for {
		listed, err := s.journal.DeadLetters().List(ctx, 0, parcelEvents)
		if err != nil {
			return fmt.Errorf("hand off dead letters: %w", err)
		}
		if len(listed) == 0 {
			return nil
		}
		if err := s.move(ctx, listed); err != nil {
			return err
		}
	}
}

// move gives the first of the listed dead letters, as many as fit into a parcel, and drops them here.
func (s *sender) move(ctx context.Context, listed []journal.DeadLetter) error {
	p := parcel{Origin: s.origin}
	var ids []uint64
	size := 0
	for i := range listed {
		letter, err := s.journal.DeadLetters().Get(ctx, listed[i].ID)
		if errors.Is(err, journal.ErrNotFound) { // it has expired
			continue
		}
		if err != nil {
			return fmt.Errorf("hand off dead letters: %w", err)
		}
		size += len(letter.Payload)
		if size > parcelBytes && len(ids) > 0 {
			break
		}
		p.DeadLetters = append(p.DeadLetters, letter)
		ids = append(ids, letter.ID)
	}
	if len(ids) == 0 {
		return nil
	}
	if err := s.peers.give(ctx, s.client, &p); err != nil {
		return err
	}
	if _, err := s.journal.DeadLetters().Drop(ctx, ids); err != nil {
		return fmt.Errorf("hand off dead letters: %w", err)
	}
	return nil
}

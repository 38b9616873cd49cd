package handoff

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/peer"
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
	peers   *peer.Peers
	client  *http.Client
	origin  string
}

const (
	// postTimeout bounds one post to one peer.
	postTimeout = 15 * time.Second
	// retryPause is the wait after every peer has refused: a new pod may be about to be ready.
	retryPause = 500 * time.Millisecond
)

// errUnfit says that a parcel itself is at fault: no peer takes it, now or later.
var errUnfit = errors.New("every pod that was asked refuses it for good")

// Empty gives everything that j holds, dead letters included, to peers, until nothing is left or ctx ends. Nothing else may
// use j meanwhile. It returns how many events and dead letters peers have; the error says why others are left. What peers refuse for good
// stays, and holds up nothing else.
func Empty(ctx context.Context, j Recaller, peers *peer.Peers) (moved int, err error) {
	if err := j.Recall(); err != nil {
		return 0, fmt.Errorf("hand off: %w", err)
	}
	s := &sender{journal: j, peers: peers, client: peer.NewClient(parcelsAtOnce), origin: rand.Text()}
	defer s.client.CloseIdleConnections()
	before := Held(j)
	var group errgroup.Group // without a context: where one queue fails, the others go on
	group.SetLimit(parcelsAtOnce)
	var mu sync.Mutex
	var problems []error
	try := func(move func(context.Context) error) {
		group.Go(func() error {
			if err := move(ctx); err != nil {
				mu.Lock()
				defer mu.Unlock()
				problems = append(problems, err)
			}
			return nil
		})
	}
	try(s.deadLetters)
	for sink := range j.Stats().Pending {
		try(func(ctx context.Context) error { return s.queue(ctx, sink) })
	}
	_ = group.Wait() // every error is among the problems
	return before - Held(j), summary(problems)
}

// summary joins the problems. Where nobody answers, all of them say the same.
func summary(problems []error) error {
	said := map[string]bool{}
	return errors.Join(slices.DeleteFunc(problems, func(err error) bool {
		text := err.Error()
		again := said[text]
		said[text] = true
		return again
	})...)
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

// queue empties the queue of a sink. What no peer takes stays leased, and so out of the way.
func (s *sender) queue(ctx context.Context, sink string) error {
	q, unfit := s.journal.Queue(sink), 0
	for s.journal.Stats().Pending[sink] > int64(unfit) {
		deliveries, err := q.Fetch(ctx, journal.Limit{Events: parcelEvents, Bytes: parcelBytes})
		if err != nil {
			return fmt.Errorf("hand off: %w", err)
		}
		left, err := halve(deliveries, func(part []journal.Delivery) error { return s.giveDeliveries(ctx, q, sink, part) })
		if unfit += left; err != nil {
			return err
		}
	}
	if unfit > 0 {
		return fmt.Errorf("hand off %d events of %s: %w", unfit, sink, errUnfit)
	}
	return nil
}

// giveDeliveries gives deliveries to a peer and settles them.
func (s *sender) giveDeliveries(ctx context.Context, q journal.Queue, sink string, deliveries []journal.Delivery) error {
	if err := s.give(ctx, &parcel{Origin: s.origin, Sink: sink, Deliveries: deliveries}); err != nil {
		return err
	}
	if err := q.Settle(ctx, []journal.Settlement{{Deliveries: deliveries, Outcome: journal.Delivered}}); err != nil {
		return fmt.Errorf("hand off: %w", err)
	}
	return nil
}

// halve gives items as a whole, and those that are refused for good in halves, until the one that is at fault is alone. It returns
// how many such there are.
func halve[T any](items []T, give func([]T) error) (unfit int, err error) {
	err = give(items)
	if !errors.Is(err, errUnfit) {
		return 0, err
	}
	if len(items) == 1 {
		return 1, nil
	}
	half := len(items) / 2
	first, err := halve(items[:half], give)
	if err != nil {
		return first, err
	}
	second, err := halve(items[half:], give)
	return first + second, err
}

// deadLetters moves the dead letters.
func (s *sender) deadLetters(ctx context.Context) error {
	var after uint64
	unfit := 0
	for {
		listed, err := s.journal.DeadLetters().List(ctx, after, parcelEvents)
		if err != nil {
			return fmt.Errorf("hand off dead letters: %w", err)
		}
		if len(listed) == 0 {
			break
		}
		letters, err := s.load(ctx, listed)
		if err != nil {
			return err
		}
		if len(letters) == 0 { // all of them have expired
			after = listed[len(listed)-1].ID
			continue
		}
		after = letters[len(letters)-1].ID
		left, err := halve(letters, func(part []journal.DeadLetter) error { return s.giveDeadLetters(ctx, part) })
		if unfit += left; err != nil {
			return err
		}
	}
	if unfit > 0 {
		return fmt.Errorf("hand off %d dead letters: %w", unfit, errUnfit)
	}
	return nil
}

// load returns the first of the listed dead letters, as many as fit into a parcel.
func (s *sender) load(ctx context.Context, listed []journal.DeadLetter) ([]journal.DeadLetter, error) {
	var letters []journal.DeadLetter
	size := 0
	for i := range listed {
		letter, err := s.journal.DeadLetters().Get(ctx, listed[i].ID)
		if errors.Is(err, journal.ErrNotFound) { // it has expired
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("hand off dead letters: %w", err)
		}
		size += len(letter.Payload)
		if size > parcelBytes && len(letters) > 0 {
			break
		}
		letters = append(letters, letter)
	}
	return letters, nil
}

// giveDeadLetters gives dead letters to a peer and drops them here.
func (s *sender) giveDeadLetters(ctx context.Context, letters []journal.DeadLetter) error {
	if err := s.give(ctx, &parcel{Origin: s.origin, DeadLetters: letters}); err != nil {
		return err
	}
	ids := make([]uint64, 0, len(letters))
	for i := range letters {
		ids = append(ids, letters[i].ID)
	}
	if _, err := s.journal.DeadLetters().Drop(ctx, ids); err != nil {
		return fmt.Errorf("hand off dead letters: %w", err)
	}
	return nil
}

// give gives a parcel to any peer. It tries until one has stored it, every one that answers refuses it for good, or ctx ends.
func (s *sender) give(ctx context.Context, p *parcel) error {
	body, err := p.encode()
	if err != nil {
		return err
	}
	message := peer.Message{Path: Path, MediaType: mediaType, Body: body, Timeout: postTimeout}
	last := peer.ErrNone
	for {
		err := s.giveToAny(ctx, message)
		if err == nil || errors.Is(err, errUnfit) {
			return err
		}
		if ctx.Err() == nil {
			last = err // else it would only say that the time is over
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("hand off: %w", last)
		case <-time.After(retryPause):
		}
	}
}

func (s *sender) giveToAny(ctx context.Context, message peer.Message) error {
	peers, err := s.peers.Find(ctx)
	if err != nil {
		return err
	}
	last, unfit := peer.ErrNone, len(peers) > 0
	for _, to := range peers {
		_, err := s.peers.Post(ctx, s.client, to, message)
		if err == nil {
			return nil
		}
		last, unfit = err, unfit && isFinal(err)
	}
	if unfit {
		return fmt.Errorf("%w: %w", errUnfit, last)
	}
	return last
}

// isFinal reports whether an answer says that a parcel will not be taken later either: it cannot be read there, or is too large.
func isFinal(err error) bool {
	status, ok := errors.AsType[*peer.StatusError](err)
	return ok && (status.Code == http.StatusBadRequest || status.Code == http.StatusRequestEntityTooLarge)
}

package jetstream

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/jetstream/message"
	"github.com/mailvane/mailvane/receiver/journal/jetstream/publish"
)

// Append implements [journal.Journal]. It returns after at most a few seconds.
func (j *Journal) Append(ctx context.Context, b journal.Batch) (journal.Receipt, error) {
	if err := j.usable(); err != nil {
		return journal.Receipt{}, err
	}
	if err := ctx.Err(); err != nil {
		return journal.Receipt{}, err
	}
	receipt, err := j.store(ctx, &b)
	if err == nil {
		err = j.resolve(ctx, b.Resolves)
	}
	if b.Unverified && errors.Is(err, journal.ErrShare) {
		return journal.Receipt{}, err // strangers could have it said at any time
	}
	if err != nil {
		return journal.Receipt{}, j.appendFailed(ctx, err)
	}
	j.appended()
	return receipt, nil
}

// store publishes what a batch holds and waits until all of it is stored.
func (j *Journal) store(ctx context.Context, b *journal.Batch) (receipt journal.Receipt, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, publish.Timeout, publish.ErrTooSlow)
	defer cancel()
	if err := j.admit(b); err != nil {
		return receipt, err
	}
	room, err := j.room()
	if err != nil {
		return receipt, err
	}
	entries, large, duplicates := j.entryItems(b, room)
	if b.Unverified && len(large) > 0 { // strangers make no dead letters
		return receipt, journal.ErrShare
	}
	letters, err := j.letterItems(append(large, b.DeadLetters...), room)
	if err != nil {
		return receipt, err
	}
	events, err := j.events.Add(ctx, entries)
	if err != nil {
		return receipt, err
	}
	dead, err := j.dead.Add(ctx, letters)
	if err != nil {
		return receipt, err
	}
	if err := errors.Join(events.Wait(ctx), j.awaitLetters(ctx, dead)); err != nil {
		return receipt, err
	}
	repeated, lettersRepeated := events.Duplicates(), dead.Duplicates()
	return journal.Receipt{
		Accepted: len(b.Entries) - len(large) - duplicates - repeated, DeadLettered: len(letters) - lettersRepeated,
		Duplicates: duplicates + repeated + lettersRepeated,
	}, nil
}

// admit returns an error when a batch is to leave the space to others. What is in use is known from a moment ago, and counted on.
func (j *Journal) admit(b *journal.Batch) error {
	a := journal.Appending{Endpoint: b.Endpoint, Unverified: b.Unverified}
	for i := range b.Entries {
		a.Size += int64(len(b.Entries[i].Payload) * len(b.Entries[i].Sinks))
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	err := j.shares.Admit(a, j.stats.UsedBytes, j.stats.MaxBytes)
	if err == nil {
		j.stats.UsedBytes += a.Size // until the servers say what it is
	}
	return err
}

// entryItems returns what is to be published for the entries of a batch, without those that repeat an earlier one of the batch, which it counts,
// and the dead letters of those that do not fit into a message.
func (j *Journal) entryItems(b *journal.Batch, room int) (items []*publish.Item, large []journal.DeadLetter, duplicates int) {
	seen := map[string]struct{}{}
	for i := range b.Entries {
		e := &b.Entries[i]
		if repeats(seen, e.DedupeKeys) {
			duplicates++
			continue
		}
		messages := j.subjects.Event(e)
		if size := message.Largest(messages); size > room-message.LetterAllowance {
			large = append(large, message.LargeLetter(b, e, size, room-message.LetterAllowance))
		} else if len(messages) > 0 {
			items = append(items, &publish.Item{Messages: messages, Key: e.OrderingKey})
		}
	}
	return items, large, duplicates
}

// repeats reports whether one of the keys was seen, and remembers them.
func repeats(seen map[string]struct{}, keys []string) bool {
	found := false
	for _, key := range keys {
		_, ok := seen[key]
		found = found || ok
	}
	for _, key := range keys {
		seen[key] = struct{}{}
	}
	return found
}

func (j *Journal) letterItems(letters []journal.DeadLetter, room int) ([]*publish.Item, error) {
	var items []*publish.Item
	for i := range letters {
		m, err := j.subjects.Letter(&letters[i], room)
		if err != nil {
			return nil, err
		}
		items = append(items, &publish.Item{Messages: []*nats.Msg{m}})
	}
	return items, nil
}

// resolve removes the dead letters that a batch replaces. What replaces them is stored already.
func (j *Journal) resolve(ctx context.Context, ids []uint64) error {
	if len(ids) == 0 {
		return nil
	}
	_, err := j.DeadLetters().Drop(ctx, ids)
	return err
}

// appendFailed remembers why, and returns the error for the caller.
func (j *Journal) appendFailed(ctx context.Context, err error) error {
	err = j.failure(ctx, err)
	if ctx.Err() == nil && j.ctx.Err() == nil && !errors.Is(err, journal.ErrDeadLetters) { // events alone are taken
		j.mu.Lock()
		defer j.mu.Unlock()
		j.appendProblem, j.appendProblemAt = err.Error(), time.Now()
	}
	return err
}

// failure makes what a publish ended with an error of the journal.
func (j *Journal) failure(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if j.ctx.Err() != nil {
		return journal.ErrClosed
	}
	if !errors.Is(err, journal.ErrFull) && !errors.Is(err, journal.ErrUnavailable) {
		err = publish.JournalError(err)
	}
	return err
}

func (j *Journal) appended() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.appendProblem = ""
}

package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/history"
)

// pageBlocks bounds the blocks that are read for one page: some 30,000 events, about a tenth of a second.
const pageBlocks = 512

// Search implements [history.Reader].
func (s *Store) Search(ctx context.Context, q history.Query) (history.Page, error) {
	var page history.Page
	o := walkOptions{terms: termsOfQuery(&q), forward: q.Forward}
	if err := s.parseCursor(q.Cursor, &o); err != nil {
		return page, err
	}
	db, release, err := s.acquire()
	if err != nil {
		return page, err
	}
	defer release()
	w, err := newWalk(db, &o)
	if err != nil {
		return page, err
	}
	defer w.close()
	p := pager{store: s, db: db, query: &q, limit: limitOf(&q)}
	last, err := p.fill(ctx, w)
	page.Events, page.Short = p.found, p.short
	switch {
	case last != 0:
		page.Next = s.cursor(last)
	case q.Forward:
		page.Next = s.cursor(max(p.seen, o.from))
	}
	return page, errors.Join(err, w.err())
}

func limitOf(q *history.Query) int {
	if q.Limit <= 0 {
		return history.DefaultLimit
	}
	return min(q.Limit, history.MaxLimit)
}

// termsOfQuery returns the terms of which one is in every event that a query selects: of what was asked for, that which selects the least.
func termsOfQuery(q *history.Query) []term {
	switch {
	case q.ID != "":
		return []term{termOf(tableIDs, q.ID)}
	case q.Message != "":
		return []term{termOf(tableMessages, q.Message), termOf(tableProviderMessages, q.Message)}
	case q.Recipient != "":
		return []term{termOf(tableRecipients, history.FoldAddress(q.Recipient))}
	case q.Endpoint != "":
		return []term{termOf(tableEndpoints, q.Endpoint)}
	case q.Type != "":
		return []term{termOf(tableTypes, q.Type)}
	}
	return nil
}

// cursor returns the cursor behind a place.
func (s *Store) cursor(p place) string { return s.id + "." + strconv.FormatUint(uint64(p), 36) }

func (s *Store) parseCursor(text string, o *walkOptions) error {
	if text == "" {
		return nil
	}
	id, number, ok := strings.Cut(text, ".")
	n, err := strconv.ParseUint(number, 36, 64)
	if !ok || err != nil || id != s.id {
		return history.ErrCursor
	}
	o.from, o.begun = place(n), true
	return nil
}

// pager fills one page.
type pager struct {
	store *Store
	db    *pebble.DB
	query *history.Query
	limit int
	found []history.Found
	short bool
	// seen is the last place that was looked at.
	seen place
}

// fill looks at blocks until the page is full. last is the place behind which the next page begins; 0 = nothing is left.
func (p *pager) fill(ctx context.Context, w *walk) (last place, err error) {
	for range pageBlocks {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		number, at, ok := w.next()
		if !ok {
			return 0, nil
		}
		b, err := p.store.readBlock(p.db, number)
		if err != nil {
			return 0, err
		}
		switch {
		case b == nil || p.before(b) && p.query.Forward:
			p.seen = placeOf(number, blockEvents-1)
			continue
		case p.before(b):
			return 0, nil
		}
		if full, err := p.look(b, at); full || err != nil {
			return p.seen, err
		}
	}
	p.short = true
	return p.seen, nil
}

// before reports whether all events of a block, and of those before it, were accepted too early.
func (p *pager) before(b *block) bool {
	return !p.query.Since.IsZero() && b.ceiling.Before(p.query.Since)
}

// look adds the events of a block that are selected, and reports whether the page is full.
func (p *pager) look(b *block, at mask) (full bool, err error) {
	if err := b.readFacts(at); err != nil {
		return false, err
	}
	for n := range b.events {
		i := n
		if !p.query.Forward {
			i = len(b.events) - 1 - n
		}
		p.seen = placeOf(b.number, i)
		if at&(1<<i) == 0 || b.events[i].Payload == nil || !p.matches(&b.events[i], &b.facts[i]) {
			continue
		}
		f := history.Found{Event: b.events[i]}
		f.Payload = slices.Clone(f.Payload) // a page must not hold whole blocks
		if f.Told, err = told(p.db, &b.facts[i]); err != nil {
			return false, err
		}
		if !p.query.Selects(&f) {
			continue
		}
		if p.found = append(p.found, f); len(p.found) == p.limit {
			return true, nil
		}
	}
	return false, nil
}

// matches reports whether a query selects an event by what it says.
func (p *pager) matches(e *history.Event, f *event.Facts) bool {
	q := p.query
	switch {
	case q.ID != "" && q.ID != f.ID,
		q.Message != "" && q.Message != f.MessageID && q.Message != f.ProviderMessageID,
		q.Endpoint != "" && q.Endpoint != event.EndpointOf(f.Source),
		q.Type != "" && q.Type != f.Type,
		q.Code != "" && !history.MatchesCode(q.Code, f.SMTPCode, f.EnhancedCode):
		return false
	}
	return p.within(e.AcceptedAt) && (q.Recipient == "" || names(f, history.FoldAddress(q.Recipient)))
}

// within reports whether a query selects events that were accepted at a time.
func (p *pager) within(at time.Time) bool {
	q := p.query
	return (q.Since.IsZero() || !at.Before(q.Since)) && (q.Until.IsZero() || at.Before(q.Until))
}

// names reports whether an event names a recipient, which is folded.
func names(f *event.Facts, recipient string) bool {
	return history.FoldAddress(f.Recipient) == recipient ||
		slices.ContainsFunc(f.Recipients, func(r string) bool { return history.FoldAddress(r) == recipient })
}

// readBlock returns a block, or nil when it is there no more.
func (s *Store) readBlock(db *pebble.DB, number uint64) (*block, error) {
	value, closer, err := db.Get(blockKey(number))
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the history: %w", err)
	}
	b, err := decodeBlock(number, value, s.z)
	return b, errors.Join(err, closer.Close())
}

// told returns what became of an event.
func told(db *pebble.DB, f *event.Facts) ([]history.Told, error) {
	var all []history.Told
	err := scanAttempts(db, history.KeyOf([]byte(f.ID), []byte(f.Source)), func(_, value []byte) error {
		t, err := decodeAttempt(value)
		all = append(all, t)
		return err
	})
	sortTold(all)
	return all, err
}

// scanAttempts calls visit with what is stored of the attempts of an event.
func scanAttempts(db *pebble.DB, of history.Key, visit func(key, value []byte) error) error {
	prefix := append([]byte{tableAttempts}, of[:]...)
	return scan(db, prefix, append(slices.Clone(prefix), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), visit)
}

// scan calls visit with the keys from lower, and before upper.
func scan(db *pebble.DB, lower, upper []byte, visit func(key, value []byte) error) error {
	iter, err := db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return err
	}
	for valid := iter.First(); valid && err == nil; valid = iter.Next() {
		var value []byte
		if value, err = iter.ValueAndErr(); err == nil {
			err = visit(iter.Key(), value)
		}
	}
	return errors.Join(err, iter.Close())
}

// Refusals implements [history.Reader].
func (s *Store) Refusals(_ context.Context, limit int) (all []history.Refusal, err error) {
	db, release, err := s.acquire()
	if err != nil {
		return nil, err
	}
	defer release()
	iter, err := db.NewIter(&pebble.IterOptions{LowerBound: []byte{tableRefusals}, UpperBound: []byte{tableRefusals + 1}})
	if err != nil {
		return nil, err
	}
	for valid := iter.Last(); valid && len(all) < min(limit, history.MaxLimit) && err == nil; valid = iter.Prev() {
		var value []byte
		var r history.Refusal
		if value, err = iter.ValueAndErr(); err == nil {
			err = json.Unmarshal(value, &r)
		}
		all = append(all, r)
	}
	return all, errors.Join(err, iter.Close())
}

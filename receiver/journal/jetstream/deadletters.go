package jetstream

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"github.com/mailvane/mailvane/receiver/journal"
)

// The headers of a dead letter's message. Its data is the payload.
const (
	headerLetter = "Mailvane-Letter" // everything but the payload and the headers of the request, as JSON
	headerField  = "Mailvane-Field"  // one header of the request, "Name: value"
)

// letter is a dead letter in a message's header.
type letter struct {
	Cause      journal.Cause `json:"cause"`
	Reason     string        `json:"reason"`
	Endpoint   string        `json:"endpoint,omitzero"`
	Route      string        `json:"route,omitzero"`
	Sink       string        `json:"sink,omitzero"`
	EventID    string        `json:"eventId,omitzero"`
	Unverified bool          `json:"unverified,omitzero"`
	Attempts   int           `json:"attempts,omitzero"`
	At         int64         `json:"at"`
}

func (j *Journal) letterMessage(d *journal.DeadLetter) ([]*nats.Msg, error) {
	text, err := json.Marshal(letter{
		Cause: d.Cause, Reason: journal.Reason(d.Reason), Endpoint: d.Endpoint, Route: d.Route, Sink: d.Sink, EventID: d.EventID,
		Unverified: d.Unverified, Attempts: d.Attempts, At: d.At.UnixMilli(),
	})
	if err != nil {
		return nil, fmt.Errorf("encode a dead letter: %w", err)
	}
	header := nats.Header{headerLetter: {string(text)}}
	for name, value := range d.Header {
		header.Add(headerField, name+": "+value)
	}
	if d.DedupeKey != "" {
		header.Set(jetstream.MsgIDHeader, messageID(d.DedupeKey))
	}
	return []*nats.Msg{{Subject: j.deadSubject(), Header: header, Data: slices.Clone(d.Payload)}}, nil
}

func readLetter(id uint64, header nats.Header, payload []byte) (journal.DeadLetter, error) {
	var l letter
	if err := json.Unmarshal([]byte(header.Get(headerLetter)), &l); err != nil {
		return journal.DeadLetter{}, fmt.Errorf("read dead letter %d: %w", id, err)
	}
	d := journal.DeadLetter{
		ID: id, Cause: l.Cause, Reason: l.Reason, Endpoint: l.Endpoint, Route: l.Route, Sink: l.Sink, EventID: l.EventID,
		Unverified: l.Unverified, Attempts: l.Attempts, At: time.UnixMilli(l.At).UTC(), Payload: payload,
	}
	for _, field := range header.Values(headerField) {
		if d.Header == nil {
			d.Header = map[string]string{}
		}
		name, value, _ := strings.Cut(field, ": ")
		d.Header[name] = value
	}
	return d, nil
}

// bury makes dead letters of the deliveries that are dead: of all, or an error is returned.
func (q *queue) bury(ctx context.Context, settlements []journal.Settlement) error {
	var letters []journal.DeadLetter
	for i := range settlements {
		s := &settlements[i]
		if s.Outcome != journal.Dead || !q.holds(&s.Deliveries[0]) {
			continue
		}
		d, delivery := *s.DeadLetter, &s.Deliveries[0]
		d.Sink, d.Attempts, d.Payload = q.sink, delivery.Attempts, delivery.Payload
		if d.Cause == journal.CauseRefused { // the other causes are found without an attempt
			d.Attempts++
		}
		// The event may die twice, when this process ends before the servers know that it is settled.
		d.DedupeKey = "dead\x00" + q.sink + "\x00" + strconv.FormatUint(delivery.Sequence, 10) + "\x00" + d.EventID + "\x00" + delivery.AcceptedAt.String()
		letters = append(letters, d)
	}
	if len(letters) == 0 {
		return nil
	}
	limited, cancel := context.WithTimeoutCause(ctx, appendTimeout, errTooSlow)
	defer cancel()
	if err := q.journal.publishLetters(limited, letters); err != nil {
		return q.journal.failure(ctx, err) // it is no problem of those who append
	}
	return nil
}

// publishLetters stores dead letters.
func (j *Journal) publishLetters(ctx context.Context, letters []journal.DeadLetter) error {
	room, err := j.room()
	if err != nil {
		return err
	}
	items, err := j.letterItems(letters, room)
	if err != nil {
		return err
	}
	r, err := j.dead.add(ctx, items)
	if err != nil {
		return err
	}
	return r.wait(ctx)
}

func (q *queue) holds(d *journal.Delivery) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.leased(d) != nil
}

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
		return nil, fmt.Errorf("%w: %w", journal.ErrUnavailable, errNotConnected)
	}
	stream, err := s.js.Stream(ctx, d.journal.deadStream().Name)
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
		_, err = stream.GetMsg(ctx, after+1, jetstream.WithGetMsgSubject(d.journal.deadSubject()))
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
		l, err := readLetter(meta.Sequence.Stream, m.Headers(), nil)
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
	return readLetter(id, m.Header, m.Data)
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
	d.journal.poke()
	return dropped, errors.Join(failures...)
}

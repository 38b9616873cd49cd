package intake

import (
	"context"
	"errors"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/metrics"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/route"
)

// store decodes, routes and appends what a request holds.
func (h *Handler) store(ctx context.Context, x *exchange, unverified bool) (receipt, *problem) {
	e := x.endpoint
	decoded, p := h.decode(x)
	if p != nil {
		return receipt{}, p
	}
	b := batchBuilder{exchange: x, unreadable: decoded.Undecodable}
	b.batch = journal.Batch{Endpoint: e.name, Unverified: unverified, Entries: make([]journal.Entry, 0, len(decoded.Events))}
	for i := range decoded.Events {
		decoded.Events[i].Unverified = unverified
		decision := e.routes.Decide(&decoded.Events[i])
		if !unverified { // else anybody could have a route said to fail
			h.noteFailures(e, decision.Failures)
		}
		b.event(&decoded.Events[i], decision)
	}
	b.undecodable()
	b.batch.Alike = b.grew()
	x.forget(&decoded)
	var done journal.Receipt
	if len(b.batch.Entries)+len(b.batch.DeadLetters) > 0 {
		var err error
		if done, err = h.options.Journal.Append(ctx, b.batch); err != nil {
			return receipt{}, h.storageProblem(e, err)
		}
	}
	b.count(done, &decoded)
	return receipt{accepted: done.Accepted, duplicates: done.Duplicates, deadLettered: done.DeadLettered, refused: decoded.Refused}, nil
}

func (h *Handler) storageProblem(e *Endpoint, err error) *problem {
	e.metrics.Limit(metrics.LimitJournal)
	if errors.Is(err, journal.ErrShare) {
		return unavailable("journal-share", "This endpoint has used up its share of the space to store events. Retry later.", retryAfterFull)
	}
	if errors.Is(err, journal.ErrDeadLetters) {
		return unavailable("dead-letters-full", "The request holds what cannot be decoded or routed, and there is no space for more of that. Retry later.", retryAfterFull)
	}
	if errors.Is(err, journal.ErrFull) {
		return unavailable("journal-full", "No space to store events. Retry later.", retryAfterFull)
	}
	e.unstored.log(h.options.Logger.Error, h.options.Now(), "events could not be stored", e.name, err)
	return unavailable("journal-unavailable", "Events cannot be stored now. Retry later.", retryAfterBusy)
}

// batchBuilder turns the events of one request into one journal batch.
type batchBuilder struct {
	*exchange

	batch journal.Batch
	// unreadable are the items that could not be decoded or encoded.
	unreadable   []provider.Undecodable
	unrouted     int
	unknown      int
	filterFailed int
}

// event adds one event with what was decided about it.
func (b *batchBuilder) event(ev *event.Event, d route.Decision) {
	if ev.Type == event.Unknown {
		b.unknown++
	}
	entry := journal.Entry{
		DedupeKeys: dedupeKeys(b.endpoint.name, ev), OrderingKey: ev.Key(),
		Sinks: d.Sinks, AcceptedAt: b.request.ReceivedAt,
	}
	if len(d.Sinks)+len(d.Failures) == 0 {
		b.unrouted++
		b.add(entry)
		return
	}
	payload, err := b.encode(ev)
	if err != nil {
		b.unreadable = append(b.unreadable, provider.Undecodable{Raw: ev.Raw, Reason: err.Error()})
		return
	}
	entry.Payload = payload
	b.add(entry)
	for i := range d.Failures {
		b.filterFailure(ev, &d.Failures[i], payload)
	}
}

// add adds an entry. Of what is not verified only that is stored which a sink is owed: even a dedupe key takes space.
func (b *batchBuilder) add(e journal.Entry) {
	if b.batch.Unverified && len(e.Sinks) == 0 {
		return
	}
	b.batch.Entries = append(b.batch.Entries, e)
}

// dedupeKeys scopes an event's identity to its endpoint. What was not verified cannot take the place of what is.
func dedupeKeys(endpoint string, ev *event.Event) []string {
	scope := "\x00"
	if ev.Unverified {
		scope = "\x00unverified\x00"
	}
	return []string{endpoint + scope + ev.ID}
}

// StoredKeys returns the keys by which a provider's retry of an encoded event is recognised; none when it cannot be read.
func StoredKeys(payload []byte) []string {
	envelope, err := event.ParseEnvelope(payload)
	if err != nil {
		return nil
	}
	ev, err := envelope.Event()
	if err != nil {
		return nil
	}
	ev.ID = envelope.ID
	return dedupeKeys(event.EndpointOf(envelope.Source), &ev)
}

func (b *batchBuilder) filterFailure(ev *event.Event, f *route.Failure, payload []byte) {
	b.filterFailed++
	if ev.Unverified {
		return // anybody could fill the journal with such
	}
	b.batch.DeadLetters = append(b.batch.DeadLetters, journal.DeadLetter{
		Cause: journal.CauseFilterFailed, Reason: f.Err.Error(),
		Endpoint: b.endpoint.name, Route: f.Route, Sink: f.Sink, EventID: ev.ID,
		At: b.request.ReceivedAt, Payload: payload,
		DedupeKey: dedupeKeys(b.endpoint.name, ev)[0] + "\x00" + f.Route,
	})
}

// keptHeader returns the headers that decoding reads, so that the body can be decoded again.
func (b *batchBuilder) keptHeader() map[string]string {
	var kept map[string]string
	for _, name := range b.endpoint.decodeHeaders {
		if value := b.request.Header.Get(name); value != "" {
			if kept == nil {
				kept = make(map[string]string)
			}
			kept[name] = value
		}
	}
	return kept
}

func (b *batchBuilder) count(done journal.Receipt, decoded *provider.Batch) {
	m := b.endpoint.metrics
	m.Accepted(done.Accepted)
	m.Events(metrics.EventDuplicate, done.Duplicates)
	m.Events(metrics.EventRefused, decoded.Refused)
	m.Events(metrics.EventUndecodable, len(b.unreadable))
	m.Events(metrics.EventUnrouted, b.unrouted)
	m.Events(metrics.EventUnknown, b.unknown)
	m.Events(metrics.FilterFailed, b.filterFailed)
	if b.batch.Unverified {
		m.Events(metrics.EventUnverified, len(decoded.Events)+len(decoded.Undecodable))
	}
}

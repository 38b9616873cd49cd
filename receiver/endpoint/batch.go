package endpoint

import (
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/metrics"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/route"
)

// Builder turns the events of one request into one batch of the journal.
type Builder struct {
	// Batch is what has been built so far. Its payloads are in the arena.
	Batch journal.Batch

	endpoint *Endpoint
	request  *provider.Request
	arena    *Arena
	// unreadable are the items that could not be decoded or encoded.
	unreadable   []provider.Undecodable
	unrouted     int
	unknown      int
	filterFailed int
}

// Build routes and encodes what a request holds. failed is told of the filters that fail for events that are genuine.
func (e *Endpoint) Build(r *provider.Request, decoded *provider.Batch, unverified bool, arena *Arena, failed func(*route.Failure)) Builder {
	b := Builder{endpoint: e, request: r, arena: arena, unreadable: decoded.Undecodable}
	b.Batch = journal.Batch{Endpoint: e.name, Unverified: unverified, Entries: make([]journal.Entry, 0, len(decoded.Events))}
	for i := range decoded.Events {
		decoded.Events[i].Unverified, decoded.Events[i].TraceParent = unverified, r.TraceParent
		decision := e.routes.Decide(&decoded.Events[i])
		if !unverified { // else anybody could have a route said to fail
			for j := range decision.Failures {
				failed(&decision.Failures[j])
			}
		}
		b.event(&decoded.Events[i], decision)
	}
	b.undecodable()
	b.Batch.Alike = b.grew()
	return b
}

// IsEmpty reports whether there is nothing to store.
func (b *Builder) IsEmpty() bool { return len(b.Batch.Entries)+len(b.Batch.DeadLetters) == 0 }

// event adds one event with what was decided about it.
func (b *Builder) event(ev *event.Event, d route.Decision) {
	if ev.Type == event.Unknown {
		b.unknown++
	}
	entry := journal.Entry{
		DedupeKeys: dedupeKeys(b.endpoint.name, ev), OrderingKey: ev.Key(),
		Sinks: d.Sinks, AcceptedAt: b.request.ReceivedAt,
	}
	if len(d.Sinks)+len(d.Failures) == 0 {
		b.unrouted++
	}
	remembered := b.endpoint.remembered && (!ev.Unverified || len(d.Sinks) > 0)
	if remembered {
		entry.Sinks = append(entry.Sinks, journal.History)
	}
	if len(entry.Sinks)+len(d.Failures) == 0 {
		b.add(entry)
		return
	}
	payload, err := b.arena.encode(ev, b.endpoint.source)
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
func (b *Builder) add(e journal.Entry) {
	if b.Batch.Unverified && len(e.Sinks) == 0 {
		return
	}
	b.Batch.Entries = append(b.Batch.Entries, e)
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

func (b *Builder) filterFailure(ev *event.Event, f *route.Failure, payload []byte) {
	b.filterFailed++
	if ev.Unverified {
		return // anybody could fill the journal with such
	}
	b.Batch.DeadLetters = append(b.Batch.DeadLetters, journal.DeadLetter{
		Cause: journal.CauseFilterFailed, Reason: f.Err.Error(),
		Endpoint: b.endpoint.name, Route: f.Route, Sink: f.Sink, EventID: ev.ID,
		At: b.request.ReceivedAt, Payload: payload,
		DedupeKey: dedupeKeys(b.endpoint.name, ev)[0] + "\x00" + f.Route,
	})
}

// keptHeader returns the headers that decoding reads, so that the body can be decoded again.
func (b *Builder) keptHeader() map[string]string {
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

// Count counts what became of a request.
func (b *Builder) Count(done journal.Receipt, decoded *provider.Batch) {
	m := b.endpoint.metrics
	m.Accepted(done.Accepted)
	m.Events(metrics.EventDuplicate, done.Duplicates)
	m.Events(metrics.EventRefused, decoded.Refused)
	m.Events(metrics.EventUndecodable, len(b.unreadable))
	m.Events(metrics.EventUnrouted, b.unrouted)
	m.Events(metrics.EventUnknown, b.unknown)
	m.Events(metrics.FilterFailed, b.filterFailed)
	if b.Batch.Unverified {
		m.Events(metrics.EventUnverified, len(decoded.Events)+len(decoded.Undecodable))
		return
	}
	m.Received(decoded.Events)
}

// The least that makes the events of a request alike: their number, and how many times as large as the request they are.
const (
	minAlike    = 16
	alikeGrowth = 4
)

// grew reports whether the events repeat much of what the request said once.
func (b *Builder) grew() bool {
	if len(b.Batch.Entries) < minAlike {
		return false
	}
	size := 0
	for i := range b.Batch.Entries {
		size += len(b.Batch.Entries[i].Payload)
	}
	return size > alikeGrowth*len(b.request.Body)
}

package endpoint

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/metrics"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/route"
)

// ErrNoEndpoint says that a dead letter's endpoint is not configured any more.
var ErrNoEndpoint = errors.New("its endpoint does not exist any more")

// errForeign says that a dead letter holds nothing for its endpoint.
var errForeign = errors.New("what it holds is not meant for its endpoint, whose provider settings say what is; have them say so, or drop the dead letter")

// errUnavailable says that a dead letter's endpoint cannot work now.
var errUnavailable = errors.New("its endpoint is unavailable; its conditions say why")

// Requeue returns the batch that makes a dead letter live again under the present configuration, and resolves it:
// a refused or expired event goes to its sink once more, a failed filter is evaluated again, an undecodable body is
// decoded again. The events count as accepted now, so that their maximum age begins anew. Appending the batch is the caller's.
func (t *Table) Requeue(d *journal.DeadLetter, now time.Time) (journal.Batch, error) {
	b, err := t.requeue(d)
	for i := range b.Entries {
		b.Entries[i].AcceptedAt = now
	}
	return b, err
}

func (t *Table) requeue(d *journal.DeadLetter) (journal.Batch, error) {
	switch d.Cause {
	case journal.CauseRefused, journal.CauseExpired:
		return redeliver(d), nil
	case journal.CauseFilterFailed, journal.CauseUndecodable:
	default:
		return journal.Batch{}, fmt.Errorf("cause %q cannot be retried", d.Cause)
	}
	e, ok := t.byName[d.Endpoint]
	if !ok {
		return journal.Batch{}, ErrNoEndpoint
	}
	if e.state == config.Unavailable {
		return journal.Batch{}, errUnavailable
	}
	if d.Cause == journal.CauseFilterFailed {
		return e.reroute(d)
	}
	return e.redecode(d)
}

// retryKeys makes two retries of one dead letter at the same time one event, also by two receivers that share a journal. The
// time is there because IDs begin again when the dead letters at the servers are deleted as a whole.
func retryKeys(d *journal.DeadLetter) []string {
	return []string{fmt.Sprintf("retry\x00%d\x00%d", d.ID, d.At.UnixMilli())}
}

func redeliver(d *journal.DeadLetter) journal.Batch {
	envelope, err := event.ParseEnvelope(d.Payload)
	key := ""
	if err == nil {
		key = envelope.PartitionKey
	}
	return journal.Batch{
		Entries:  []journal.Entry{{DedupeKeys: retryKeys(d), OrderingKey: key, Sinks: []string{d.Sink}, Payload: d.Payload}},
		Resolves: []uint64{d.ID},
	}
}

func (e *Endpoint) reroute(d *journal.DeadLetter) (journal.Batch, error) {
	envelope, err := event.ParseEnvelope(d.Payload)
	if err != nil {
		return journal.Batch{}, fmt.Errorf("read the event: %w", err)
	}
	ev, err := envelope.Event()
	if err != nil {
		return journal.Batch{}, fmt.Errorf("read the event: %w", err)
	}
	decision := e.routes.DecideRoute(&ev, d.Route)
	if len(decision.Failures) > 0 {
		return journal.Batch{}, fmt.Errorf("route %s fails again: %w", d.Route, decision.Failures[0].Err)
	}
	batch := journal.Batch{Resolves: []uint64{d.ID}}
	if len(decision.Sinks) > 0 {
		batch.Entries = []journal.Entry{{DedupeKeys: retryKeys(d), OrderingKey: envelope.PartitionKey, Sinks: decision.Sinks, Payload: d.Payload}}
	}
	return batch, nil
}

func (e *Endpoint) redecode(d *journal.DeadLetter) (journal.Batch, error) {
	header := make(http.Header, len(d.Header))
	for name, value := range d.Header {
		header.Set(name, value)
	}
	r := &provider.Request{Header: header, Body: d.Payload, ReceivedAt: d.At}
	decoded := e.Decode(r)
	if len(decoded.Undecodable) > 0 {
		return journal.Batch{}, fmt.Errorf("cannot be decoded: %s", decoded.Undecodable[0].Reason)
	}
	if decoded.Refused > 0 && len(decoded.Events) == 0 {
		return journal.Batch{}, errForeign
	}
	e.metrics.Events(metrics.EventRefused, decoded.Refused) // beside others, as when a request brings them
	b := e.Build(r, &decoded, d.Unverified, &Arena{}, func(*route.Failure) {})
	b.Batch.Unverified = false // a person has asked for it
	b.Batch.Resolves = []uint64{d.ID}
	return b.Batch, nil
}

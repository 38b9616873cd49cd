// Package suppressionsink keeps the list of addresses that should get no more mail, of the events that say so.
package suppressionsink

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/mailvane/mailvane/receiver/event"
	common "github.com/mailvane/mailvane/receiver/settings"
	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/sinkpostgresql"
	"github.com/mailvane/mailvane/receiver/sink/suppressionsink/settings"
	"github.com/mailvane/mailvane/receiver/suppression"
	"github.com/mailvane/mailvane/receiver/suppression/postgresql"
	"github.com/mailvane/mailvane/receiver/suppression/redis"
)

// Kind returns the sink kind "Suppression".
func Kind() sink.Kind { return sink.Kind{Type: "Suppression", New: newSink} }

// suppressionSink is one list.
type suppressionSink struct {
	store suppression.Store
	now   func() time.Time
}

var _ sink.Prober = (*suppressionSink)(nil)

func newSink(data []byte, env sink.Environment) (sink.Sink, error) {
	store, err := Open(data, env)
	if err != nil {
		return nil, err
	}
	return &suppressionSink{store: store, now: time.Now}, nil
}

// Open returns the store that a sink's settings lead to. It connects when it is used.
func Open(data []byte, env sink.Environment) (suppression.Store, error) {
	parsed, err := settings.Parse(data, common.Environment{})
	if err != nil {
		return nil, err
	}
	dialer := env.Dialer(sinkpostgresql.ConnectTimeout)
	if parsed.PostgreSQL != nil {
		return openPostgreSQL(&parsed, dialer)
	}
	return redis.Open(parsed.Redis, parsed.KeyPrefix, dialer), nil
}

func openPostgreSQL(p *settings.Parsed, dialer *net.Dialer) (suppression.Store, error) {
	store, err := postgresql.Open(p.PostgreSQL, dialer)
	if err != nil {
		return nil, err
	}
	return store, nil
}

// Send merges what the events change, and returns nil when the store has it. Most events change nothing, and are delivered by that.
func (s *suppressionSink) Send(ctx context.Context, batch sink.Batch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var changes []suppression.Change
	failed := map[int]error{}
	for i := range batch.Messages {
		envelope, err := event.ParseEnvelope(batch.Messages[i].Envelope)
		if err != nil {
			failed[i] = sink.Permanent(fmt.Errorf("the message is no event: %w", err))
			continue
		}
		e, err := envelope.Event()
		if err != nil {
			failed[i] = sink.Permanent(fmt.Errorf("the message is no event: %w", err))
			continue
		}
		e.ID, e.Type, e.Unverified = envelope.ID, event.TypeOf(envelope.Type), e.Unverified || envelope.Unverified
		changes = append(changes, suppression.Of(&e, envelope.Source, s.now())...)
	}
	if len(changes) > 0 {
		if err := s.store.Apply(ctx, changes); err != nil {
			return err
		}
	}
	return sink.Partial(failed)
}

// Probe finds out whether the store would take changes.
func (s *suppressionSink) Probe(ctx context.Context) error { return s.store.Probe(ctx) }

// Close closes the store's connections.
func (s *suppressionSink) Close() error { return s.store.Close() }

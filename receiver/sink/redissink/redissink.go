// Package redissink adds events to streams of Redis, one entry for each event.
package redissink

import (
	"context"
	"errors"
	"sync"

	"github.com/redis/go-redis/v9"

	common "github.com/mailvane/mailvane/receiver/settings"
	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/redissink/settings"
	"github.com/mailvane/mailvane/receiver/sink/sinkredis"
	"github.com/mailvane/mailvane/receiver/sink/template"
)

// Kind returns the sink kind "Redis".
func Kind() sink.Kind { return sink.Kind{Type: "Redis", New: newSink} }

// redisSink is one destination.
type redisSink struct {
	client    redis.UniversalClient
	stream    template.Template
	maxLength int64
	close     func() error
}

var (
	_ sink.AttributeReader = (*redisSink)(nil)
	_ sink.Prober          = (*redisSink)(nil)
)

func newSink(data []byte, env sink.Environment) (sink.Sink, error) {
	parsed, err := settings.Parse(data, common.Environment{})
	if err != nil {
		return nil, err
	}
	client := sinkredis.Client(&parsed, env.Dialer(sinkredis.ConnectTimeout))
	return &redisSink{client: client, stream: parsed.Stream, maxLength: parsed.MaxLength, close: sync.OnceValue(client.Close)}, nil
}

// ReadsAttributes returns true: keys are made of them.
func (s *redisSink) ReadsAttributes() bool { return true }

// Send adds an entry for each message, in order, and returns nil when the server has answered for each.
func (s *redisSink) Send(ctx context.Context, batch sink.Batch) error {
	if err := ctx.Err(); err != nil || len(batch.Messages) == 0 {
		return err
	}
	pipe := s.client.Pipeline()
	commands := make([]*redis.StringCmd, len(batch.Messages))
	for i := range batch.Messages {
		commands[i] = pipe.XAdd(ctx, s.entry(&batch.Messages[i]))
	}
	errs := wait(ctx, func() []error {
		_, failed := pipe.Exec(ctx)
		errs := make([]error, len(commands))
		for i, c := range commands {
			errs[i] = added(c, failed)
		}
		return errs
	})
	if errs == nil {
		return ctx.Err()
	}
	return outcome(ctx, errs)
}

var errNoAnswer = errors.New("there is no answer")

// added returns why an entry was not added. The id of the entry is what shows that it was: the client leaves commands of a connection that
// was refused without an error of their own.
func added(c *redis.StringCmd, failed error) error {
	switch {
	case c.Err() != nil:
		return c.Err()
	case c.Val() != "":
		return nil
	case failed != nil:
		return failed
	}
	return errNoAnswer
}

// entry is what is added for a message. Its event is copied: a command that nobody waits for any more may still be written.
func (s *redisSink) entry(m *sink.Message) *redis.XAddArgs {
	return &redis.XAddArgs{
		Stream: s.stream.Expand(template.Values{Source: m.Source, Type: m.Type, Provider: m.Provider}),
		MaxLen: s.maxLength, Approx: s.maxLength > 0,
		Values: []any{"id", m.ID, "event", string(m.Envelope)},
	}
}

// Probe has the server answer.
func (s *redisSink) Probe(ctx context.Context) error {
	errs := wait(ctx, func() []error { return []error{s.client.Ping(ctx).Err()} })
	switch {
	case errs == nil:
		return ctx.Err()
	case redis.IsPermissionError(errs[0]):
		return nil // it knows the sink's user, who may do nothing but add
	}
	return unasked(errs[0])
}

// wait calls use, which is not interrupted when ctx ends but only at a deadline, and returns nil if ctx ends before.
func wait(ctx context.Context, use func() []error) []error {
	used := make(chan []error, 1)
	go func() { used <- use() }()
	select {
	case errs := <-used:
		return errs
	case <-ctx.Done():
		return nil
	}
}

// Close closes the connections.
func (s *redisSink) Close() error {
	_ = s.close() // nothing is lost with a connection
	return nil
}

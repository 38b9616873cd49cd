// Package postgresqlsink inserts events into a table of PostgreSQL, one row for each event. A row is there once, however often its event
// is sent.
package postgresqlsink

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	common "github.com/mailvane/mailvane/receiver/settings"
	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/postgresqlsink/settings"
	"github.com/mailvane/mailvane/receiver/sink/sinkpostgresql"
)

// Kind returns the sink kind "PostgreSQL".
func Kind() sink.Kind { return sink.Kind{Type: "PostgreSQL", New: newSink} }

// postgresqlSink is one table.
type postgresqlSink struct {
	pool   *pgxpool.Pool
	table  table
	create bool
	logger func(message string, args ...any)
	close  func()
}

var (
	_ sink.AttributeReader = (*postgresqlSink)(nil)
	_ sink.Prober          = (*postgresqlSink)(nil)
)

func newSink(data []byte, env sink.Environment) (sink.Sink, error) {
	parsed, err := settings.Parse(data, common.Environment{})
	if err != nil {
		return nil, err
	}
	pool, err := sinkpostgresql.Pool(&parsed, env.Dialer(sinkpostgresql.ConnectTimeout))
	if err != nil {
		return nil, err
	}
	return &postgresqlSink{
		pool: pool, table: table{name: pgx.Identifier(parsed.Table).Sanitize(), plain: strings.Join(parsed.Table, ".")},
		create: parsed.Create, logger: env.Log().Warn, close: sync.OnceFunc(pool.Close),
	}, nil
}

// ReadsAttributes returns true: they are columns.
func (s *postgresqlSink) ReadsAttributes() bool { return true }

// Send inserts the messages, all or none, and returns nil when they are committed.
func (s *postgresqlSink) Send(ctx context.Context, batch sink.Batch) error {
	if err := ctx.Err(); err != nil || len(batch.Messages) == 0 {
		return err
	}
	rows, failed := rowsOf(batch.Messages)
	if len(failed) > 0 {
		return s.sendRest(ctx, batch, failed)
	}
	return s.insert(ctx, rows)
}

// sendRest sends what can be a row of a batch of which something cannot.
func (s *postgresqlSink) sendRest(ctx context.Context, batch sink.Batch, failed map[int]error) error {
	var rest []sink.Message
	for i := range batch.Messages {
		if failed[i] == nil {
			rest = append(rest, batch.Messages[i])
		}
	}
	if err := s.Send(ctx, sink.Batch{Messages: rest}); err != nil {
		return err
	}
	return sink.Partial(failed)
}

// insert inserts rows in one statement, which is a transaction of its own.
func (s *postgresqlSink) insert(ctx context.Context, rows []row) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return sinkpostgresql.NotConnected(ctx, err)
	}
	defer conn.Release()
	_, err = conn.Exec(ctx, s.table.insert(), arguments(rows)...)
	if s.create && sinkpostgresql.CodeOf(err) == sinkpostgresql.CodeNoTable {
		if err := s.table.create(ctx, conn.Conn()); err != nil {
			return s.notCreated(ctx, err)
		}
		_, err = conn.Exec(ctx, s.table.insert(), arguments(rows)...)
	}
	if sinkpostgresql.CodeOf(err) == sinkpostgresql.CodeReadOnly {
		s.pool.Reset() // the server is no primary any more: look for the one that is
	}
	return s.failed(ctx, err)
}

// Probe inserts no rows, which finds out whether the table is there, has the columns and takes rows from the sink's user.
func (s *postgresqlSink) Probe(ctx context.Context) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return sinkpostgresql.NotConnected(ctx, err)
	}
	defer conn.Release()
	_, err = conn.Exec(ctx, s.table.insert(), arguments(nil)...)
	switch code := sinkpostgresql.CodeOf(err); {
	case s.create && code == sinkpostgresql.CodeNoTable:
		return nil // it is made for the first event
	case err != nil && code == "":
		return sinkpostgresql.NotConnected(ctx, err) // there was nothing to be sent
	}
	return s.failed(ctx, err)
}

// closeTimeout is how long Close waits for connections to end. Those of a Send end with its context.
const closeTimeout = time.Second

// Close closes the connections.
func (s *postgresqlSink) Close() error {
	closed := make(chan struct{})
	go func() {
		s.close()
		close(closed)
	}()
	select {
	case <-closed:
	case <-time.After(closeTimeout):
	}
	return nil
}

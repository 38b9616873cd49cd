package postgresql

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/sinkpostgresql"
	"github.com/mailvane/mailvane/receiver/suppression"
)

// Definition is the SQL that makes a table of a name. in_force is what applications ask for.
func Definition(name string) string {
	return fmt.Sprintf(`CREATE TABLE %[1]s (
  address text NOT NULL,
  scope text NOT NULL,
  class text NOT NULL,
  in_force boolean NOT NULL DEFAULT false,
  first_at timestamptz,
  last_at timestamptz,
  released_at timestamptz,
  released_by text,
  count bigint NOT NULL DEFAULT 0,
  event_id text,
  source text,
  provider text,
  provider_event text,
  reason text,
  seen jsonb NOT NULL DEFAULT '[]',
  changed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (address, scope, class)
);
`, name)
}

// columns are those that a row is read of.
const columns = "address, scope, class, first_at, last_at, released_at, released_by, count, event_id, source, provider, provider_event, reason, seen::text"

// update is the statement that writes a row.
func (s *Store) update() string {
	return fmt.Sprintf("UPDATE %s SET in_force = $4, first_at = $5, last_at = $6, released_at = $7, released_by = $8, count = $9, event_id = $10, source = $11, "+
		"provider = $12, provider_event = $13, reason = $14, seen = $15::text::jsonb, changed_at = now() WHERE address = $1 AND scope = $2 AND class = $3", s.name)
}

func arguments(r *suppression.Row) []any {
	seen, err := json.Marshal(r.Seen)
	if err != nil || r.Seen == nil {
		seen = []byte("[]") // times and texts are always encoded
	}
	return []any{
		r.Address, r.Scope, string(r.Class), r.InForce(), moment(r.FirstAt), moment(r.LastAt), moment(r.ReleasedAt), optional(r.ReleasedBy), r.Count,
		optional(r.Last.ID), optional(r.Last.Source), optional(r.Last.Provider), optional(r.Last.Event), optional(r.Last.Reason), text(string(seen)),
	}
}

type querier interface {
	Query(ctx context.Context, query string, arguments ...any) (pgx.Rows, error)
}

// collect reads the rows of a query.
func collect(ctx context.Context, q querier, query string, arguments ...any) ([]suppression.Row, error) {
	found, err := q.Query(ctx, query, arguments...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(found, scan)
}

func scan(found pgx.CollectableRow) (r suppression.Row, err error) {
	var first, last, released *time.Time
	var by, id, source, provider, event, reason *string
	var class, seen string
	if err := found.Scan(&r.Address, &r.Scope, &class, &first, &last, &released, &by, &r.Count, &id, &source, &provider, &event, &reason, &seen); err != nil {
		return r, err
	}
	r.Class, r.FirstAt, r.LastAt, r.ReleasedAt, r.ReleasedBy = suppression.Class(class), deref(first).UTC(), deref(last).UTC(), deref(released).UTC(), deref(by)
	r.Last = suppression.Origin{ID: deref(id), Source: deref(source), Provider: deref(provider), Event: deref(event), Reason: deref(reason)}
	if err := json.Unmarshal([]byte(seen), &r.Seen); err != nil {
		return r, fmt.Errorf("read what a row has seen: %w", err)
	}
	if len(r.Seen) == 0 {
		r.Seen = nil
	}
	return r, nil
}

func deref[T any](value *T) (v T) {
	if value != nil {
		v = *value
	}
	return v
}

func moment(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}

func optional(value string) *string {
	if value == "" {
		return nil
	}
	value = text(value)
	return &value
}

// text returns a value that the columns take: PostgreSQL has no NUL, and UTF-8 alone.
func text(value string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(value, "\x00", "\uFFFD"), "\uFFFD")
}

// making is the lock of who makes a table: several pods may have their first change at the same time.
const making int64 = 0x6d61696c73757070

// makeTable makes the table, unless somebody else has meanwhile.
func (s *Store) makeTable(ctx context.Context, conn *pgx.Conn) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", making); err != nil {
			return err
		}
		var there bool
		if err := tx.QueryRow(ctx, "SELECT to_regclass($1::text) IS NOT NULL", s.name).Scan(&there); err != nil || there {
			return err
		}
		_, err := tx.Exec(ctx, Definition(s.name))
		return err
	})
}

// failed is the error of a statement.
func (s *Store) failed(ctx context.Context, err error) error {
	switch code := sinkpostgresql.CodeOf(err); {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case code == sinkpostgresql.CodeNoTable, code == sinkpostgresql.CodeNoSchema:
		return sink.Because(sink.DestinationNotFound, errors.Join(suppression.ErrMissing, fmt.Errorf(
			"table %s does not exist, or its schema; set createTable to IfMissing, or run the SQL of docs/sinks/suppression.md: %w", s.plain, err)))
	case sinkpostgresql.IsOfClass(code, "42") && code != sinkpostgresql.CodeNotPermitted:
		return sink.Because(sink.DestinationNotFound, fmt.Errorf("table %s is not as the sink needs it; it is in docs/sinks/suppression.md: %w", s.plain, err))
	case code == sinkpostgresql.CodeNotPermitted:
		return sink.Because(sink.CredentialRefused, fmt.Errorf("the sink's user may not use the table; run: GRANT SELECT, INSERT, UPDATE ON %s TO <user>: %w", s.name, err))
	case code == sinkpostgresql.CodeCheckFailed, sinkpostgresql.IsOfClass(code, sinkpostgresql.ClassData), sinkpostgresql.IsOfClass(code, sinkpostgresql.ClassLimits):
		return sink.Permanent(fmt.Errorf("PostgreSQL does not take the change: %w", err))
	case code == "" && pgconn.SafeToRetry(err):
		return sink.Unreachable(fmt.Errorf("the connection to PostgreSQL was lost: %w", err))
	}
	return fmt.Errorf("PostgreSQL failed: %w", err)
}

// notMade is the error of a table that was to be made.
func (s *Store) notMade(ctx context.Context, err error) error {
	if sinkpostgresql.CodeOf(err) == sinkpostgresql.CodeNotPermitted {
		return sink.Because(sink.CredentialRefused, fmt.Errorf("the sink's user may not make table %s; run: GRANT CREATE ON SCHEMA ... TO <user>, or make it: %w", s.plain, err))
	}
	return s.failed(ctx, err)
}

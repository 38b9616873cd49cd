package postgresqlsink

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/sinkpostgresql"
)

// Codes of PostgreSQL's errors that mean something to this sink alone (PostgreSQL manual, appendix A).
const (
	codeNoColumn  = "42703"
	codeOtherType = "42804"
	codeNoUnique  = "42P10"
)

// failed is the error of a statement. What is wrong with the table is mended by somebody, and the rows are still wanted; what is wrong
// with a row is not. Whatever is not known to last is for the moment.
func (s *postgresqlSink) failed(ctx context.Context, err error) error {
	switch code := sinkpostgresql.CodeOf(err); {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case code == sinkpostgresql.CodeNoTable, code == sinkpostgresql.CodeNoSchema:
		s.logger("a PostgreSQL sink has no table; set createTable, or run this", "table", s.table.plain, "sql", definition(s.table.name))
		return sink.Because(sink.DestinationNotFound, fmt.Errorf(
			"table %s does not exist, or its schema; set createTable to IfMissing, or run the SQL of docs/sinks/postgresql.md: %w", s.table.plain, err))
	case code == codeNoColumn:
		return sink.Because(sink.DestinationNotFound, s.noColumn(err))
	case code == codeOtherType, code == codeNoUnique:
		return sink.Because(sink.DestinationNotFound, fmt.Errorf(
			"table %s is not as the sink needs it; its columns, and a primary key of id, are in docs/sinks/postgresql.md: %w", s.table.plain, err))
	case code == sinkpostgresql.CodeNotPermitted:
		return sink.Because(sink.CredentialRefused, fmt.Errorf("the sink's user may not insert; run: GRANT INSERT, SELECT ON %s TO <user>: %w", s.table.name, err))
	case code == sinkpostgresql.CodeCheckFailed, sinkpostgresql.IsOfClass(code, sinkpostgresql.ClassData), sinkpostgresql.IsOfClass(code, sinkpostgresql.ClassLimits):
		return sink.Permanent(fmt.Errorf("PostgreSQL does not take the event: %w", err))
	case code == "" && pgconn.SafeToRetry(err):
		return sink.Unreachable(fmt.Errorf("the connection to PostgreSQL was lost: %w", err))
	}
	return fmt.Errorf("PostgreSQL failed: %w", err)
}

// notCreated is the error of a table that was to be made.
func (s *postgresqlSink) notCreated(ctx context.Context, err error) error {
	if sinkpostgresql.CodeOf(err) == sinkpostgresql.CodeNotPermitted {
		return sink.Because(sink.CredentialRefused, fmt.Errorf(
			"the sink's user may not make table %s; run: GRANT CREATE ON SCHEMA ... TO <user>, or make it: %w", s.table.plain, err))
	}
	return s.failed(ctx, err)
}

// noColumn says how to add a column that a later release has brought.
func (s *postgresqlSink) noColumn(err error) error {
	pgError, _ := errors.AsType[*pgconn.PgError](err)
	for _, c := range columns() {
		if pgError != nil && strings.Contains(pgError.Message, `"`+c.name+`"`) {
			return fmt.Errorf("table %s has no column %s; run: ALTER TABLE %s ADD COLUMN %s %s", s.table.plain, c.name, s.table.name, c.name, c.kind)
		}
	}
	return fmt.Errorf("table %s lacks a column; all are in docs/sinks/postgresql.md: %w", s.table.plain, err)
}

// Package postgresql keeps suppressions in a table of PostgreSQL, one row for each address, scope and class.
package postgresql

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/mailvane/mailvane/receiver/sink/postgresqlsink/settings"
	"github.com/mailvane/mailvane/receiver/sink/sinkpostgresql"
	"github.com/mailvane/mailvane/receiver/suppression"
)

// pageRows is how many rows Walk reads at a time.
const pageRows = 1000

// Store is one table.
type Store struct {
	pool *pgxpool.Pool
	// name is quoted for SQL, and plain is for people.
	name, plain string
	create      bool
	close       func()
}

var _ suppression.Store = (*Store)(nil)

// Open returns a store that connects when it is used.
func Open(p *settings.Parsed, dialer *net.Dialer) (*Store, error) {
	pool, err := sinkpostgresql.Pool(p, dialer)
	if err != nil {
		return nil, err
	}
	return &Store{
		pool: pool, name: pgx.Identifier(p.Table).Sanitize(), plain: strings.Join(p.Table, "."), create: p.Create, close: sync.OnceFunc(pool.Close),
	}, nil
}

// Apply merges changes in one transaction. The rows are locked in one order, so that several pods may do so at once.
func (s *Store) Apply(ctx context.Context, changes []suppression.Change) error {
	if err := ctx.Err(); err != nil || len(changes) == 0 {
		return err
	}
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return sinkpostgresql.NotConnected(ctx, err)
	}
	defer conn.Release()
	err = s.merge(ctx, conn, changes)
	if s.create && sinkpostgresql.CodeOf(err) == sinkpostgresql.CodeNoTable {
		if err := s.makeTable(ctx, conn.Conn()); err != nil {
			return s.notMade(ctx, err)
		}
		err = s.merge(ctx, conn, changes)
	}
	if sinkpostgresql.CodeOf(err) == sinkpostgresql.CodeReadOnly {
		s.pool.Reset() // the server is no primary any more: look for the one that is
	}
	return s.failed(ctx, err)
}

func (s *Store) merge(ctx context.Context, conn *pgxpool.Conn, changes []suppression.Change) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		rows, err := s.lock(ctx, tx, keysOf(changes))
		if err != nil {
			return err
		}
		for i := range changes {
			rows[stored(changes[i].Key)].Merge(&changes[i])
		}
		return s.write(ctx, tx, rows)
	})
}

// keysOf returns the keys of changes, each once and in order, as they are stored.
func keysOf(changes []suppression.Change) []suppression.Key {
	keys := make([]suppression.Key, len(changes))
	for i := range changes {
		keys[i] = stored(changes[i].Key)
	}
	slices.SortFunc(keys, func(a, b suppression.Key) int {
		return strings.Compare(a.Address+"\x00"+a.Scope+"\x00"+string(a.Class), b.Address+"\x00"+b.Scope+"\x00"+string(b.Class))
	})
	return slices.Compact(keys)
}

// stored returns a key as the columns take it.
func stored(k suppression.Key) suppression.Key {
	return suppression.Key{Address: text(k.Address), Scope: text(k.Scope), Class: k.Class}
}

// lock makes the rows that are missing, and reads and locks all of them.
func (s *Store) lock(ctx context.Context, tx pgx.Tx, keys []suppression.Key) (map[suppression.Key]*suppression.Row, error) {
	addresses, scopes, classes := make([]string, len(keys)), make([]string, len(keys)), make([]string, len(keys))
	for i, k := range keys {
		addresses[i], scopes[i], classes[i] = k.Address, k.Scope, string(k.Class)
	}
	const of = "unnest($1::text[], $2::text[], $3::text[]) AS k (address, scope, class)"
	if _, err := tx.Exec(ctx, fmt.Sprintf("INSERT INTO %s (address, scope, class) SELECT address, scope, class FROM %s ON CONFLICT DO NOTHING", s.name, of), addresses, scopes, classes); err != nil {
		return nil, err
	}
	query := fmt.Sprintf("SELECT %s FROM %s AS t JOIN %s USING (address, scope, class) ORDER BY address COLLATE \"C\", scope COLLATE \"C\", class COLLATE \"C\" FOR UPDATE OF t", columns, s.name, of)
	list, err := collect(ctx, tx, query, addresses, scopes, classes)
	if err != nil {
		return nil, err
	}
	rows := map[suppression.Key]*suppression.Row{}
	for i := range list {
		rows[suppression.Key{Address: list[i].Address, Scope: list[i].Scope, Class: list[i].Class}] = &list[i]
	}
	return rows, nil
}

// write updates rows.
func (s *Store) write(ctx context.Context, tx pgx.Tx, rows map[suppression.Key]*suppression.Row) error {
	batch := &pgx.Batch{}
	for _, r := range rows {
		batch.Queue(s.update(), arguments(r)...)
	}
	return tx.SendBatch(ctx, batch).Close()
}

// Find returns the rows of an address.
func (s *Store) Find(ctx context.Context, address string) ([]suppression.Row, error) {
	query := fmt.Sprintf("SELECT %s FROM %s WHERE address = $1 ORDER BY scope COLLATE \"C\", class COLLATE \"C\"", columns, s.name)
	return s.read(ctx, query, text(address))
}

// Walk visits all rows, page by page, by address.
func (s *Store) Walk(ctx context.Context, visit func(suppression.Row) error) error {
	query := fmt.Sprintf("SELECT %s FROM %s WHERE (address, scope, class) > ($1, $2, $3) ORDER BY address, scope, class LIMIT %d", columns, s.name, pageRows)
	last := suppression.Row{}
	for {
		rows, err := s.read(ctx, query, last.Address, last.Scope, string(last.Class))
		if err != nil {
			return err
		}
		for i := range rows {
			if err := visit(rows[i]); err != nil {
				return err
			}
		}
		if len(rows) < pageRows {
			return nil
		}
		last = rows[len(rows)-1]
	}
}

func (s *Store) read(ctx context.Context, query string, arguments ...any) ([]suppression.Row, error) {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return nil, sinkpostgresql.NotConnected(ctx, err)
	}
	defer conn.Release()
	rows, err := collect(ctx, conn, query, arguments...)
	return rows, s.failed(ctx, err)
}

// Probe makes no rows, which finds out whether the table is there and what the user may do.
func (s *Store) Probe(ctx context.Context) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return sinkpostgresql.NotConnected(ctx, err)
	}
	defer conn.Release()
	err = s.merge(ctx, conn, nil)
	switch code := sinkpostgresql.CodeOf(err); {
	case s.create && code == sinkpostgresql.CodeNoTable:
		return nil // it is made for the first change
	case err != nil && code == "":
		return sinkpostgresql.NotConnected(ctx, err) // there was nothing to be sent
	}
	return s.failed(ctx, err)
}

// Close closes the connections.
func (s *Store) Close() error {
	s.close()
	return nil
}

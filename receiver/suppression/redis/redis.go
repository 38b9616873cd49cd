// Package redis keeps suppressions in Redis, one hash for each address.
package redis

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/redissink/settings"
	"github.com/mailvane/mailvane/receiver/sink/sinkredis"
	"github.com/mailvane/mailvane/receiver/suppression"
)

const (
	// maxTries is how often a hash is read again that somebody else has changed meanwhile.
	maxTries = 50
	// pause is about how long is waited before that.
	pause = 5 * time.Millisecond
	// pageKeys is how many keys Walk asks for at a time.
	pageKeys = 500
)

// Store is the keys with a prefix.
type Store struct {
	client redis.UniversalClient
	prefix string
	close  func() error
}

var _ suppression.Store = (*Store)(nil)

// Open returns a store that connects when it is used. The key of an address is the prefix and the address.
func Open(p *settings.Parsed, prefix string, dialer *net.Dialer) *Store {
	client := sinkredis.Client(p, dialer)
	return &Store{client: client, prefix: prefix, close: sync.OnceValue(client.Close)}
}

// value is a row as a field of a hash has it; inForce is what applications ask for.
type value struct {
	InForce    bool               `json:"inForce"`
	Scope      string             `json:"scope"`
	Class      suppression.Class  `json:"class"`
	FirstAt    time.Time          `json:"firstAt,omitzero"`
	LastAt     time.Time          `json:"lastAt,omitzero"`
	ReleasedAt time.Time          `json:"releasedAt,omitzero"`
	ReleasedBy string             `json:"releasedBy,omitzero"`
	Count      int64              `json:"count"`
	Last       suppression.Origin `json:"last"`
	Seen       []suppression.Mark `json:"seen,omitzero"`
}

func encode(r *suppression.Row) (string, error) {
	text, err := json.Marshal(value{r.InForce(), r.Scope, r.Class, r.FirstAt, r.LastAt, r.ReleasedAt, r.ReleasedBy, r.Count, r.Last, r.Seen})
	if err != nil {
		return "", fmt.Errorf("encode a row: %w", err)
	}
	return string(text), nil
}

func decode(address, text string) (suppression.Row, error) {
	var v value
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return suppression.Row{}, sink.Because(sink.DestinationNotFound, fmt.Errorf("a key of the sink holds something else; choose another keyPrefix: %w", err))
	}
	return suppression.Row{
		Address: address, Scope: v.Scope, Class: v.Class, FirstAt: v.FirstAt, LastAt: v.LastAt, ReleasedAt: v.ReleasedAt, ReleasedBy: v.ReleasedBy, Count: v.Count, Last: v.Last, Seen: v.Seen,
	}, nil
}

// fieldOf is the field of a row: its class, and its scope.
func fieldOf(k *suppression.Key) string { return string(k.Class) + " " + k.Scope }

// Apply merges changes, the rows of one address at once. What fails in the middle is merged again with the next try, to the same rows.
func (s *Store) Apply(ctx context.Context, changes []suppression.Change) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	of := map[string][]suppression.Change{}
	for i := range changes {
		of[changes[i].Address] = append(of[changes[i].Address], changes[i])
	}
	for address, mine := range of {
		if err := s.merge(ctx, address, mine); err != nil {
			return failed(ctx, err)
		}
	}
	return nil
}

// merge reads the rows of an address, and writes them if nobody has written meanwhile.
func (s *Store) merge(ctx context.Context, address string, changes []suppression.Change) error {
	key := s.prefix + address
	for try := range maxTries {
		if try > 0 {
			if err := sleep(ctx); err != nil {
				return err
			}
		}
		err := s.client.Watch(ctx, func(tx *redis.Tx) error {
			written, err := merged(ctx, tx, key, address, changes)
			if err != nil {
				return err
			}
			_, err = tx.TxPipelined(ctx, func(p redis.Pipeliner) error {
				return p.HSet(ctx, key, written).Err()
			})
			return err
		}, key)
		if !errors.Is(err, redis.TxFailedErr) {
			return err
		}
	}
	return errContended
}

var errContended = errors.New("others change the same address all the time")

func sleep(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Duration(rand.Int64N(int64(2 * pause)))): //nolint:gosec // It is no secret.
		return nil
	}
}

// merged returns the fields of the rows that changes are of, with their values.
func merged(ctx context.Context, tx *redis.Tx, key, address string, changes []suppression.Change) (map[string]string, error) {
	rows := map[string]*suppression.Row{}
	for i := range changes {
		c := &changes[i]
		field := fieldOf(&c.Key)
		if rows[field] == nil {
			text, err := tx.HGet(ctx, key, field).Result()
			switch {
			case errors.Is(err, redis.Nil):
				rows[field] = &suppression.Row{Address: address, Scope: c.Scope, Class: c.Class}
			case err != nil:
				return nil, err
			default:
				row, err := decode(address, text)
				if err != nil {
					return nil, err
				}
				rows[field] = &row
			}
		}
		rows[field].Merge(c)
	}
	written := map[string]string{}
	for field, row := range rows {
		text, err := encode(row)
		if err != nil {
			return nil, err
		}
		written[field] = text
	}
	return written, nil
}

// Find returns the rows of an address.
func (s *Store) Find(ctx context.Context, address string) ([]suppression.Row, error) {
	fields, err := s.client.HGetAll(ctx, s.prefix+address).Result()
	if err != nil {
		return nil, failed(ctx, err)
	}
	var rows []suppression.Row
	for _, text := range fields {
		row, err := decode(address, text)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b suppression.Row) int {
		return strings.Compare(a.Scope+"\x00"+string(a.Class), b.Scope+"\x00"+string(b.Class))
	})
	return rows, nil
}

// Walk visits all rows, of every server of a cluster. One that is changed meanwhile may be visited as it was.
func (s *Store) Walk(ctx context.Context, visit func(suppression.Row) error) error {
	if cluster, ok := s.client.(*redis.ClusterClient); ok {
		var mu sync.Mutex // servers are asked at the same time
		return failed(ctx, cluster.ForEachMaster(ctx, func(ctx context.Context, server *redis.Client) error {
			mu.Lock()
			defer mu.Unlock()
			return s.walk(ctx, server, visit)
		}))
	}
	return failed(ctx, s.walk(ctx, s.client, visit))
}

func (s *Store) walk(ctx context.Context, server redis.Cmdable, visit func(suppression.Row) error) error {
	seen := map[string]bool{} // a key may be told of twice
	for cursor := uint64(0); ; {
		keys, next, err := server.Scan(ctx, cursor, glob(s.prefix)+"*", pageKeys).Result()
		if err != nil {
			return err
		}
		for _, key := range keys {
			if seen[key] {
				continue
			}
			seen[key] = true
			rows, err := s.Find(ctx, strings.TrimPrefix(key, s.prefix))
			if err != nil {
				return err
			}
			for i := range rows {
				if err := visit(rows[i]); err != nil {
					return visitError{err}
				}
			}
		}
		if cursor = next; cursor == 0 {
			return nil
		}
	}
}

// visitError is what a visitor ended a walk with.
type visitError struct{ error }

// Unwrap returns the cause.
func (e visitError) Unwrap() error { return e.error }

// glob escapes what is special in a pattern of SCAN.
func glob(text string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`).Replace(text)
}

// Probe has the server answer.
func (s *Store) Probe(ctx context.Context) error {
	err := s.client.HExists(ctx, s.prefix, "probe").Err()
	if _, answered := errors.AsType[redis.Error](err); err != nil && !answered && ctx.Err() == nil {
		return sink.Unreachable(fmt.Errorf("no connection to Redis: %w", err))
	}
	return failed(ctx, err)
}

// Close closes the connections.
func (s *Store) Close() error {
	_ = s.close() // nothing is lost with a connection
	return nil
}

// failed is the error of a command.
func failed(ctx context.Context, err error) error {
	if ended, ok := errors.AsType[visitError](err); ok {
		return ended.error
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case sink.CauseOf(err) == sink.DestinationNotFound:
		return err
	case redis.IsAuthError(err), redis.IsPermissionError(err):
		return sink.Because(sink.CredentialRefused, fmt.Errorf("redis refuses the sink's user, who needs the commands WATCH, UNWATCH, MULTI, EXEC, HGET, HGETALL, HSET, HEXISTS and, to list, SCAN, and the keys with the prefix: %w", err))
	case strings.HasPrefix(err.Error(), "WRONGTYPE"):
		return sink.Because(sink.DestinationNotFound, fmt.Errorf("a key of the sink holds something else; choose another keyPrefix: %w", err))
	case sinkredis.IsAway(err):
		return sink.Unreachable(fmt.Errorf("no connection to Redis: %w", err))
	case redis.IsLoadingError(err), redis.IsMaxClientsError(err):
		return sink.Unreachable(fmt.Errorf("redis takes no commands yet: %w", err))
	}
	return fmt.Errorf("redis does not take the change: %w", err)
}

// Package settings reads the settings of a suppression sink, apart from what writes to its store.
package settings

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/mailvane/mailvane/receiver/settings"
	postgresql "github.com/mailvane/mailvane/receiver/sink/postgresqlsink/settings"
	redis "github.com/mailvane/mailvane/receiver/sink/redissink/settings"
)

// The defaults of the API.
const (
	defaultTable  = "mailvane_suppressions"
	defaultPrefix = "mailvane:suppression:"
)

// prefixMarks are the marks that a prefix may have beside letters and digits.
const prefixMarks = "_.:/{}-"

// Parsed is where the list is: exactly one of PostgreSQL and Redis.
type Parsed struct {
	PostgreSQL *postgresql.Parsed
	Redis      *redis.Parsed
	// KeyPrefix is how keys of Redis begin.
	KeyPrefix string
}

// Parse decodes a sink's settings, completes them with the defaults and refuses what cannot work. No error holds a credential. What connects is read as
// for the sinks of the two stores.
func Parse(data []byte, env settings.Environment) (Parsed, error) {
	var s Settings
	if err := settings.Decode(data, &s); err != nil {
		return Parsed{}, err
	}
	switch {
	case (s.PostgreSQL == nil) == (s.Redis == nil):
		return Parsed{}, errors.New("exactly one of postgreSQL and redis must be set")
	case s.PostgreSQL != nil:
		s.PostgreSQL.Table = cmp.Or(s.PostgreSQL.Table, defaultTable)
		parsed, err := parsed("postgreSQL", s.PostgreSQL, env, postgresql.Parse)
		return Parsed{PostgreSQL: parsed}, err
	default:
		return parseRedis(s.Redis, env)
	}
}

func parseRedis(s *Redis, env settings.Environment) (Parsed, error) {
	prefix := cmp.Or(s.KeyPrefix, defaultPrefix)
	s.KeyPrefix = "" // it is no setting of a connection
	if strings.ContainsFunc(prefix, func(r rune) bool { return !isKeyRune(r) }) {
		return Parsed{}, errors.New("redis.keyPrefix must be of letters, digits and " + prefixMarks)
	}
	parsed, err := parsed("redis", s, env, redis.Parse)
	return Parsed{Redis: parsed, KeyPrefix: prefix}, err
}

func isKeyRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(prefixMarks, r)
}

// parsed has the settings of a member read by another sink.
func parsed[T any](member string, of any, env settings.Environment, parse func([]byte, settings.Environment) (T, error)) (*T, error) {
	data, err := json.Marshal(of)
	if err != nil {
		return nil, errors.New(member + " cannot be read")
	}
	p, err := parse(data, env)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", member, err)
	}
	return &p, nil
}

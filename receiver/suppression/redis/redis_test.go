package redis_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	client "github.com/redis/go-redis/v9"

	common "github.com/mailvane/mailvane/receiver/settings"
	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/redissink/settings"
	"github.com/mailvane/mailvane/receiver/suppression"
	"github.com/mailvane/mailvane/receiver/suppression/redis"
	"github.com/mailvane/mailvane/receiver/suppression/suppressiontest"
	server "github.com/mailvane/mailvane/test/redis"
)

const (
	// required has the tests fail where there is no server. Continuous integration sets it.
	required = "MAILVANE_REQUIRE_SERVERS"
	password = "s3cret-8d1f"
	// users are the sink's, with the rights that the documentation names, and that of the test.
	users = "user default on >admin ~* &* +@all\nuser mailvane on >" + password + " ~mail:* +watch +unwatch +multi +exec +hget +hgetall +hset +hexists +scan\n"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func start(t *testing.T) *server.Server {
	t.Helper()
	s, err := server.Start(t.Context(), t.TempDir(), users)
	if errors.Is(err, server.ErrMissing) && os.Getenv(required) == "" {
		t.Skip(err)
	}
	must(t, err)
	t.Cleanup(func() { _ = s.Kill() })
	return s
}

func open(t *testing.T, address, prefix, password string) *redis.Store {
	t.Helper()
	parsed, err := settings.Parse(fmt.Appendf(nil, `{"addresses":[%q],"tlsMode":"Disable","basic":{"username":"mailvane","password":%q}}`, address, password), common.Environment{})
	must(t, err)
	s := redis.Open(&parsed, prefix, &net.Dialer{})
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestConformance(t *testing.T) {
	t.Parallel()
	shared := start(t)
	suppressiontest.Run(t, func(t *testing.T) suppressiontest.Harness {
		t.Helper()
		prefix := "mail:[a*]:" + strings.ReplaceAll(t.Name(), " ", "_") + ":" // with what is special in patterns
		return suppressiontest.Harness{Open: func(t *testing.T) suppression.Store { return open(t, shared.Address, prefix, password) }}
	})
}

func one() []suppression.Change {
	return []suppression.Change{{
		Key: suppression.Key{Address: "ada@example.com", Scope: suppression.Everything, Class: suppression.Complaint},
		At:  time.Date(2026, time.January, 2, 3, 4, 5, 0, time.UTC), Origin: suppression.Origin{ID: "1"},
	}}
}

// TestFailures says how to go on, and tells no password.
func TestFailures(t *testing.T) {
	t.Parallel()
	s := start(t)
	admin := client.NewClient(&client.Options{Addr: s.Address, Password: "admin", Protocol: 2})
	t.Cleanup(func() { _ = admin.Close() })
	must(t, admin.Set(t.Context(), "mail:a:ada@example.com", "a text", 0).Err())
	must(t, admin.HSet(t.Context(), "mail:b:ada@example.com", "complaint *", "no JSON").Err())
	for name, tc := range map[string]struct {
		store *redis.Store
		want  sink.Cause
	}{
		"another password": {open(t, s.Address, "mail:", "another"), sink.CredentialRefused},
		"another prefix":   {open(t, s.Address, "others:", password), sink.CredentialRefused},
		"a key of another": {open(t, s.Address, "mail:a:", password), sink.DestinationNotFound},
		"another's hash":   {open(t, s.Address, "mail:b:", password), sink.DestinationNotFound},
		"nobody there":     {open(t, "127.0.0.1:1", "mail:", password), sink.DestinationUnreachable},
	} {
		err := tc.store.Apply(t.Context(), one())
		if sink.CauseOf(err) != tc.want || sink.IsPermanent(err) || strings.Contains(fmt.Sprint(err), password) {
			t.Errorf("%s: %v, want %s", name, err, tc.want)
		}
		probed := tc.store.Probe(t.Context())
		if isAboutOneKey := tc.want == sink.DestinationNotFound; isAboutOneKey != (probed == nil) || probed != nil && sink.CauseOf(probed) != tc.want {
			t.Errorf("%s: a probe says %v", name, probed)
		}
	}
}

// TestWhatApplicationsRead looks at a hash as an application does.
func TestWhatApplicationsRead(t *testing.T) {
	t.Parallel()
	s := start(t)
	must(t, open(t, s.Address, "mail:suppression:", password).Apply(t.Context(), one()))
	admin := client.NewClient(&client.Options{Addr: s.Address, Password: "admin", Protocol: 2})
	t.Cleanup(func() { _ = admin.Close() })
	fields, err := admin.HGetAll(t.Context(), "mail:suppression:ada@example.com").Result()
	must(t, err)
	if len(fields) != 1 || !strings.Contains(fields["complaint *"], `"inForce":true`) {
		t.Errorf("%v", fields)
	}
}

package postgresql_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	common "github.com/mailvane/mailvane/receiver/settings"
	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/postgresqlsink/settings"
	"github.com/mailvane/mailvane/receiver/suppression"
	"github.com/mailvane/mailvane/receiver/suppression/postgresql"
	"github.com/mailvane/mailvane/receiver/suppression/suppressiontest"
	"github.com/mailvane/mailvane/test/postgres"
)

// required has the tests fail where there is no server. Continuous integration sets it.
const required = "MAILVANE_REQUIRE_SERVERS"

const password = "s3cret-8d1f"

// shared is the server of all tests.
var shared struct {
	sync.Mutex
	server *postgres.Server
	err    error
	number atomic.Int64
}

func TestMain(m *testing.M) {
	code := m.Run()
	if shared.server != nil {
		if err := shared.server.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func server(t *testing.T) *postgres.Server {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil && shared.err == nil {
		shared.server, shared.err = postgres.Start(context.Background(), postgres.Options{})
	}
	if errors.Is(shared.err, postgres.ErrMissing) && os.Getenv(required) == "" {
		t.Skip(shared.err)
	}
	must(t, shared.err)
	return shared.server
}

// exec runs statements of the superuser.
func exec(t *testing.T, sql string) {
	t.Helper()
	conn, err := server(t).Connect(t.Context())
	must(t, err)
	defer conn.Close(t.Context()) //nolint:errcheck // the statement's error says more
	_, err = conn.Exec(t.Context(), sql)
	must(t, err)
}

// schema makes a schema with a user who may use its tables and make none.
func schema(t *testing.T) string {
	t.Helper()
	name := fmt.Sprintf("s%d", shared.number.Add(1))
	exec(t, fmt.Sprintf("CREATE ROLE %[1]s LOGIN PASSWORD '%[2]s'; CREATE SCHEMA %[1]s; GRANT USAGE ON SCHEMA %[1]s TO %[1]s", name, password))
	return name
}

func open(t *testing.T, name, createTable string) *postgresql.Store {
	t.Helper()
	parsed, err := settings.Parse(fmt.Appendf(nil, `{"hosts":[%q],"database":"postgres","table":%q,"createTable":%q,"tlsMode":"Disable","basic":{"username":%q,"password":%q}}`,
		server(t).Address, name+".list", createTable, name, password), common.Environment{})
	must(t, err)
	s, err := postgresql.Open(&parsed, &net.Dialer{})
	must(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// withTable returns a schema with a table and the rights that the documentation names.
func withTable(t *testing.T) string {
	t.Helper()
	name := schema(t)
	exec(t, postgresql.Definition(name+".list")+fmt.Sprintf("GRANT SELECT, INSERT, UPDATE ON %[1]s.list TO %[1]s", name))
	return name
}

func TestConformance(t *testing.T) {
	t.Parallel()
	server(t)
	suppressiontest.Run(t, func(t *testing.T) suppressiontest.Harness {
		t.Helper()
		name := withTable(t)
		return suppressiontest.Harness{Open: func(t *testing.T) suppression.Store { return open(t, name, "Never") }}
	})
}

func one() []suppression.Change {
	return []suppression.Change{{
		Key: suppression.Key{Address: "ada@example.com", Scope: suppression.Everything, Class: suppression.Complaint},
		At:  time.Date(2026, time.January, 2, 3, 4, 5, 0, time.UTC), Origin: suppression.Origin{ID: "1"},
	}}
}

// TestATableIsMadeWhenAskedFor makes none by itself, one when asked for, also by two pods at once, and changes none that is there.
func TestATableIsMadeWhenAskedFor(t *testing.T) {
	t.Parallel()
	name := schema(t)
	never := open(t, name, "Never")
	for _, err := range []error{never.Probe(t.Context()), never.Apply(t.Context(), one())} {
		if !errors.Is(err, suppression.ErrMissing) || sink.CauseOf(err) != sink.DestinationNotFound || sink.IsPermanent(err) {
			t.Errorf("%v", err)
		}
	}
	asked := open(t, name, "IfMissing")
	must(t, asked.Probe(t.Context()))
	if err := asked.Apply(t.Context(), one()); sink.CauseOf(err) != sink.CredentialRefused || !strings.Contains(err.Error(), "GRANT CREATE") {
		t.Errorf("without the right: %v", err)
	}
	exec(t, fmt.Sprintf("GRANT CREATE ON SCHEMA %[1]s TO %[1]s", name))
	var group sync.WaitGroup
	for range 4 {
		s := open(t, name, "IfMissing")
		group.Go(func() {
			if err := s.Apply(t.Context(), one()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	rows, err := asked.Find(t.Context(), "ada@example.com")
	if err != nil || len(rows) != 1 || rows[0].Count != 1 {
		t.Errorf("%v %v", rows, err)
	}
	other := schema(t)
	exec(t, fmt.Sprintf("CREATE TABLE %[1]s.list (address text); GRANT ALL ON %[1]s.list TO %[1]s; GRANT CREATE ON SCHEMA %[1]s TO %[1]s", other))
	if err := open(t, other, "IfMissing").Apply(t.Context(), one()); sink.CauseOf(err) != sink.DestinationNotFound || !strings.Contains(err.Error(), "not as the sink needs it") {
		t.Errorf("another table: %v", err)
	}
}

// TestFailures says how to go on, and tells no password.
func TestFailures(t *testing.T) {
	t.Parallel()
	name := withTable(t)
	s := open(t, name, "Never")
	exec(t, fmt.Sprintf("REVOKE UPDATE ON %[1]s.list FROM %[1]s", name))
	for _, err := range []error{s.Apply(t.Context(), one()), s.Probe(t.Context())} {
		if sink.CauseOf(err) != sink.CredentialRefused || !strings.Contains(fmt.Sprint(err), "GRANT SELECT, INSERT, UPDATE") {
			t.Errorf("without the right: %v", err)
		}
	}
	exec(t, fmt.Sprintf("ALTER ROLE %s PASSWORD 'another'", name))
	fresh := open(t, name, "Never")
	if err := fresh.Apply(t.Context(), one()); sink.CauseOf(err) != sink.CredentialRefused || strings.Contains(err.Error(), password) {
		t.Errorf("another password: %v", err)
	}
}

// TestApplicationsAsk runs the query of the documentation.
func TestApplicationsAsk(t *testing.T) {
	t.Parallel()
	name := withTable(t)
	must(t, open(t, name, "Never").Apply(t.Context(), one()))
	conn, err := server(t).Connect(t.Context())
	must(t, err)
	defer conn.Close(t.Context()) //nolint:errcheck // it is over
	text, err := os.ReadFile("../../../docs/sinks/suppression.md")
	must(t, err)
	_, query, _ := strings.Cut(string(text), "```sql\nSELECT")
	query, _, _ = strings.Cut(query, "```")
	query = strings.ReplaceAll("SELECT"+query, "mailvane_suppressions", name+".list")
	for address, want := range map[string]bool{"Ada@Example.com": true, "bob@example.com": false} {
		var suppressed bool
		if err := conn.QueryRow(t.Context(), query, address, "postmark:news").Scan(&suppressed); err != nil || suppressed != want {
			t.Errorf("%s: %t, %v", address, suppressed, err)
		}
	}
	if !strings.Contains(string(text), postgresql.Definition("mailvane_suppressions")) {
		t.Errorf("docs/sinks/suppression.md does not have\n%s", postgresql.Definition("mailvane_suppressions"))
	}
}

package postgresqlsink

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/sinktest"
	"github.com/mailvane/mailvane/test/line"
	"github.com/mailvane/mailvane/test/postgres"
)

// password is that of the sink, which no error may hold.
const password = "s3cret-8d1f"

// required has the tests fail where there is no server. Continuous integration sets it.
const required = "MAILVANE_REQUIRE_SERVERS"

// shared is the server of all tests but those that stop it.
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

// serve returns a server, or skips the test where there is none.
func serve(t *testing.T, server *postgres.Server, err error) *postgres.Server {
	t.Helper()
	if errors.Is(err, postgres.ErrMissing) && os.Getenv(required) == "" {
		t.Skip(err)
	}
	must(t, err)
	return server
}

func sharedServer(t *testing.T) *postgres.Server {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil && shared.err == nil {
		shared.server, shared.err = postgres.Start(context.Background(), postgres.Options{})
	}
	return serve(t, shared.server, shared.err)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// destination is a schema of a server, with a user of its own, and a line to it.
type destination struct {
	server *postgres.Server
	line   *line.Line
	schema string
}

func newDestination(t *testing.T, server *postgres.Server) *destination {
	t.Helper()
	l, err := line.New(t.Context(), server.Address)
	must(t, err)
	t.Cleanup(l.Close)
	d := &destination{server: server, line: l, schema: fmt.Sprintf("s%d", shared.number.Add(1))}
	d.exec(t, "CREATE ROLE "+d.schema+" LOGIN PASSWORD '"+password+"'")
	d.reset(t)
	return d
}

func (d *destination) table() string { return d.schema + ".events" }

// reset ends whatever fails, and empties the table.
func (d *destination) reset(t *testing.T) {
	t.Helper()
	d.line.Mend()
	d.exec(t, fmt.Sprintf(`DROP SCHEMA IF EXISTS %[1]s CASCADE; CREATE SCHEMA %[1]s; GRANT USAGE ON SCHEMA %[1]s TO %[1]s;
ALTER ROLE %[1]s PASSWORD '%[2]s'; %[3]s GRANT INSERT, SELECT ON %[4]s TO %[1]s`, d.schema, password, definition(d.table()), d.table()))
}

// connect returns a connection of the superuser, which lasts as long as the test.
func (d *destination) connect(t *testing.T) *pgx.Conn {
	t.Helper()
	conn, err := d.server.Connect(t.Context())
	must(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// exec runs statements of the superuser.
func (d *destination) exec(t *testing.T, sql string) {
	t.Helper()
	conn, err := d.server.Connect(t.Context())
	must(t, err)
	defer conn.Close(t.Context()) //nolint:errcheck // the statement's error says more
	_, err = conn.Exec(t.Context(), sql)
	must(t, err)
}

func (d *destination) received(t *testing.T) []string {
	t.Helper()
	rows, err := d.connect(t).Query(t.Context(), "SELECT id FROM "+d.table()+" ORDER BY position")
	must(t, err)
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	must(t, err)
	return ids
}

func (d *destination) settings(more string) string {
	return fmt.Sprintf(`{"hosts":[%q],"database":"postgres","table":%q,"tlsMode":"Disable","basic":{"username":%q,"password":%q},%s}`,
		d.line.Address(), d.table(), d.schema, password, more)
}

// open opens a sink with settings beside those that lead to the destination.
func (d *destination) open(t *testing.T, more string) sink.Sink {
	t.Helper()
	s, err := newSink([]byte(d.settings(more)), sink.Environment{})
	must(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func (d *destination) fail(sql string) func(*testing.T) {
	return func(t *testing.T) {
		d.reset(t)
		d.exec(t, strings.ReplaceAll(sql, "SCHEMA", d.schema))
	}
}

func (d *destination) harness() sinktest.Harness {
	return sinktest.Harness{
		Kind: Kind(), Settings: d.settings(`"maxConnections":3`), Secrets: []string{password}, Received: d.received,
		Break: func(*testing.T) { d.line.Cut() }, Mend: func(*testing.T) { d.line.Mend() },
		Stall: func(t *testing.T) {
			tx, err := d.connect(t).Begin(t.Context())
			must(t, err)
			_, err = tx.Exec(t.Context(), "LOCK TABLE "+d.table()+" IN ACCESS EXCLUSIVE MODE")
			must(t, err)
		},
		Bound: func(t *testing.T, bytes int) {
			d.exec(t, fmt.Sprintf("ALTER TABLE %s ADD CHECK (octet_length(record::text) <= %d)", d.table(), bytes))
		},
		Fail: map[sinktest.Class]func(*testing.T){
			sinktest.Permanent: d.fail("ALTER TABLE SCHEMA.events ADD CHECK (id = '')"),
			sinktest.Transient: d.fail(`CREATE FUNCTION SCHEMA.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not now'; END $$;
CREATE TRIGGER refuse BEFORE INSERT ON SCHEMA.events EXECUTE FUNCTION SCHEMA.refuse()`),
			sinktest.BadCredential: d.fail("REVOKE INSERT ON SCHEMA.events FROM SCHEMA"),
			sinktest.NoDestination: d.fail("DROP TABLE SCHEMA.events"),
			sinktest.Unreachable: func(t *testing.T) {
				d.reset(t)
				d.line.Cut()
			},
		},
	}
}

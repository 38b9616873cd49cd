package postgresqlsink

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/sinktest"
	"github.com/mailvane/mailvane/test/postgres"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	sinktest.Run(t, func(t *testing.T) sinktest.Harness { return newDestination(t, sharedServer(t)).harness() })
}

// TestAServerThatIsStopped has the server itself stopped in the middle of 10,000 events, and started again: each is one row.
func TestAServerThatIsStopped(t *testing.T) {
	t.Parallel()
	server, err := postgres.Start(t.Context(), postgres.Options{})
	server = serve(t, server, err)
	t.Cleanup(func() { must(t, server.Close()) })
	d := newDestination(t, server)
	h := d.harness()
	h.Break, h.Mend = func(t *testing.T) { must(t, server.Stop()) }, func(t *testing.T) { must(t, server.Start(t.Context())) }
	sinktest.Recover(t, h)
	if got := len(d.received(t)); got != 10_000 {
		t.Errorf("%d rows of 10,000 events", got)
	}
}

// message returns an event as it comes from the journal.
func message(t *testing.T, e event.Event) sink.Message {
	t.Helper()
	envelope, err := event.Encode(&e, event.Source("mail", "in"))
	must(t, err)
	head, err := event.HeadOf(envelope)
	must(t, err)
	return sink.Message{ID: head.ID, Source: head.Source, Type: head.Type, Subject: head.Subject, Provider: head.Provider, Time: head.Time, Envelope: envelope}
}

// columnsOf returns what the table has of an event, by column.
func (d *destination) columnsOf(t *testing.T, id string) map[string]any {
	t.Helper()
	rows, err := d.connect(t).Query(t.Context(), "SELECT *, record::text AS record_text, convert_from(raw, 'UTF8') AS raw_text FROM "+d.table()+" WHERE id = $1", id)
	must(t, err)
	found, err := pgx.CollectExactlyOneRow(rows, pgx.RowToMap)
	must(t, err)
	return found
}

// TestARow looks at what people query.
func TestARow(t *testing.T) {
	t.Parallel()
	d := newDestination(t, sharedServer(t))
	at := time.Date(2026, 1, 2, 3, 4, 5, 678_000_000, time.UTC)
	m := message(t, event.Event{
		ID: "e1", Type: event.Bounced, Provider: "AmazonSES", ProviderEvent: "Bounce", Time: at, Recipient: "to@example.com", Sender: "from@example.com",
		Subject: "Hello", MessageID: "m@example.com", ProviderMessageID: "p1", SMTPCode: 550, EnhancedCode: "5.1.1", Reason: "no such user",
		Bounce: event.Bounce{Type: event.Hard, Category: event.CategoryUserUnknown}, Metadata: map[string]string{"order_id": "7"}, Raw: []byte(`{"big":12345678901234567890.10}`),
	})
	must(t, d.open(t, `"maxConnections":1`).Send(t.Context(), sink.NewBatch([]sink.Message{m})))
	got := d.columnsOf(t, "e1")
	if stored, ok := got["stored_at"].(time.Time); !ok || stored.IsZero() {
		t.Errorf("stored_at: %v", got["stored_at"])
	}
	if when, ok := got["occurred_at"].(time.Time); !ok || !when.Equal(at) {
		t.Errorf("occurred_at: %v", got["occurred_at"])
	}
	var record event.Event
	must(t, json.Unmarshal([]byte(got["record_text"].(string)), &record))
	if record.Recipient != "to@example.com" || record.Raw != nil {
		t.Errorf("record: %s", got["record_text"])
	}
	for _, name := range []string{"stored_at", "occurred_at", "record", "record_text", "raw"} {
		delete(got, name)
	}
	want := map[string]any{
		"id": "e1", "type": "email.bounced", "source": "/mailvane/mail/in", "provider": "amazonses", "provider_event": "Bounce", "recipient": "to@example.com",
		"sender": "from@example.com", "subject": "Hello", "message_id": "m@example.com", "provider_message_id": "p1", "correlation_id": nil, "account": nil,
		"smtp_code": int32(550), "enhanced_code": "5.1.1", "bounce_type": "hard", "bounce_category": "user_unknown", "reject_reason": nil, "reason": "no such user",
		"url": nil, "metadata": map[string]any{"order_id": "7"}, "dead_letter_sink": nil, "dead_letter_reason": nil, "raw_text": `{"big":12345678901234567890.10}`,
		"position": int64(1),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestWhatPostgreSQLDoesNotTake has texts that text and jsonb refuse: the row is there all the same, and raw is as it was.
func TestWhatPostgreSQLDoesNotTake(t *testing.T) {
	t.Parallel()
	d := newDestination(t, sharedServer(t))
	s := d.open(t, `"maxConnections":1`)
	raw := `{"nul":"a\u0000b","half":"\ud800","number":1e400000,"deep":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`
	for name, tc := range map[string]struct {
		reason string
		change func(*event.Event)
		column string
		want   any
	}{
		"NUL":          {"text has no NUL", func(e *event.Event) { e.Recipient = "a\x00b@example.com" }, "recipient", "a\uFFFDb@example.com"},
		"not UTF-8":    {"text is UTF-8", func(e *event.Event) { e.Reason = "caf\xe9" }, "reason", "caf\uFFFD"},
		"NUL in jsonb": {"jsonb has none either", func(e *event.Event) { e.Metadata = map[string]string{"a\x00": "\x00b"} }, "metadata", map[string]any{"a\uFFFD": "\uFFFDb"}},
		"backslashes": {
			"what looks like an escaped NUL is none", func(e *event.Event) { e.Metadata = map[string]string{"a": `\u0000`, "b": `\\u0000` + "\x00"} }, "metadata",
			map[string]any{"a": `\u0000`, "b": `\\u0000` + "\uFFFD"},
		},
		"long key":  {"an index takes no entry of a page; the record has it", func(e *event.Event) { e.MessageID = strings.Repeat("x", 9000) }, "message_id", nil},
		"long text": {"a column without an index takes it", func(e *event.Event) { e.Reason = strings.Repeat("x", 9000) }, "reason", strings.Repeat("x", 9000)},
		"year 0":    {"PostgreSQL knows it as 1 BC", func(e *event.Event) { e.Time = time.Date(0, 1, 2, 3, 4, 5, 0, time.UTC) }, "dead_letter_sink", nil},
		"year 9999": {"the last year of RFC 3339", func(e *event.Event) { e.Time = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC) }, "url", nil},
	} {
		e := event.Event{ID: name, Type: event.Sent, Provider: "Test", Time: time.Unix(0, 0), Raw: []byte(raw)}
		tc.change(&e)
		if err := s.Send(t.Context(), sink.NewBatch([]sink.Message{message(t, e)})); err != nil {
			t.Errorf("%s: %v: %s", name, err, tc.reason)
			continue
		}
		got := d.columnsOf(t, name)
		if diff := cmp.Diff(tc.want, got[tc.column]); diff != "" {
			t.Errorf("%s: %s\n%s", name, tc.reason, diff)
		}
		if got["raw_text"] != raw {
			t.Errorf("%s: raw is %s", name, got["raw_text"])
		}
	}
}

// TestNoEvent has a message that is none among others.
func TestNoEvent(t *testing.T) {
	t.Parallel()
	d := newDestination(t, sharedServer(t))
	messages := sinktest.Messages(0, 3)
	messages[1].Envelope = []byte(`{"specversion":"1.0","data":[]}`)
	failed := sink.FailedOf(d.open(t, `"maxConnections":1`).Send(t.Context(), sink.NewBatch(messages)), len(messages))
	if len(failed) != 1 || !sink.IsPermanent(failed[1]) {
		t.Errorf("failed: %v", failed)
	}
	if diff := cmp.Diff([]string{sinktest.ID(0), sinktest.ID(2)}, d.received(t)); diff != "" {
		t.Error(diff)
	}
}

// TestTheTableIsMade has several sinks make it at once, when it is asked for, and nobody change it later.
func TestTheTableIsMade(t *testing.T) {
	t.Parallel()
	d := newDestination(t, sharedServer(t))
	d.exec(t, "DROP TABLE "+d.table())
	const create = `"createTable":"IfMissing"`
	if err := d.open(t, create).Send(t.Context(), sinktest.Batch(0, 1)); sink.CauseOf(err) != sink.CredentialRefused || !strings.Contains(err.Error(), "GRANT CREATE ON SCHEMA") {
		t.Errorf("without the right: %v", err)
	}
	d.exec(t, fmt.Sprintf("GRANT CREATE ON SCHEMA %[1]s TO %[1]s", d.schema))
	var group sync.WaitGroup
	for i := range 8 {
		s := d.open(t, create)
		group.Go(func() {
			if err := s.(sink.Prober).Probe(t.Context()); err != nil {
				t.Errorf("Probe: %v", err)
			}
			if err := s.Send(t.Context(), sinktest.Batch(10*i, 10)); err != nil {
				t.Errorf("Send: %v", err)
			}
		})
	}
	group.Wait()
	if got := len(d.received(t)); got != 80 {
		t.Errorf("%d rows of 80 events", got)
	}
	var indexes int
	must(t, d.connect(t).QueryRow(t.Context(), "SELECT count(*) FROM pg_indexes WHERE schemaname = $1", d.schema).Scan(&indexes))
	if indexes != 5 {
		t.Errorf("there are %d indexes, want the primary key and 4", indexes)
	}
}

// TestATableThatIsNotAsItShouldBe says in each case what to run.
func TestATableThatIsNotAsItShouldBe(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ reason, change, want string }{
		"no table":  {"the page has the SQL", "DROP TABLE %s", "run the SQL of docs/sinks/postgresql.md"},
		"no column": {"the error has the SQL", "ALTER TABLE %s DROP COLUMN bounce_type", "ADD COLUMN bounce_type text"},
		"other type": {
			"nothing is converted behind anybody's back", "ALTER TABLE %s ALTER COLUMN occurred_at TYPE integer USING 0", "docs/sinks/postgresql.md",
		},
		"no key": {"rows would be there twice", "ALTER TABLE %s DROP CONSTRAINT events_pkey", "a primary key of id"},
	} {
		d := newDestination(t, sharedServer(t))
		d.exec(t, fmt.Sprintf(tc.change, d.table()))
		s := d.open(t, `"createTable":"Never"`)
		for what, err := range map[string]error{"Probe": s.(sink.Prober).Probe(t.Context()), "Send": s.Send(t.Context(), sinktest.Batch(0, 1))} {
			if sink.CauseOf(err) != sink.DestinationNotFound || sink.IsPermanent(err) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s: %s: %v, want %q: %s", name, what, err, tc.want, tc.reason)
			}
		}
	}
}

// TestTheLogHasTheSQL has the whole definition told once it is missing: a condition has no room for it.
func TestTheLogHasTheSQL(t *testing.T) {
	t.Parallel()
	d := newDestination(t, sharedServer(t))
	d.exec(t, "DROP TABLE "+d.table())
	var log strings.Builder
	s, err := newSink([]byte(d.settings(`"maxConnections":1`)), sink.Environment{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	must(t, err)
	defer s.Close() //nolint:errcheck // it says nothing
	_ = s.Send(t.Context(), sinktest.Batch(0, 1))
	if !strings.Contains(log.String(), "CREATE TABLE") || strings.Contains(log.String(), password) {
		t.Errorf("the log says:\n%s", log.String())
	}
}

// TestColumnsOfOthers has a table with a column of the users' own: it is left alone.
func TestColumnsOfOthers(t *testing.T) {
	t.Parallel()
	d := newDestination(t, sharedServer(t))
	d.exec(t, "ALTER TABLE "+d.table()+" ADD COLUMN team text DEFAULT 'mail'")
	must(t, d.open(t, `"maxConnections":1`).Send(t.Context(), sinktest.Batch(0, 1)))
	if got := d.columnsOf(t, sinktest.ID(0))["team"]; got != "mail" {
		t.Errorf("team: %v", got)
	}
}

// TestWrongAddresses connects to what is not there, and tells it apart.
func TestWrongAddresses(t *testing.T) {
	t.Parallel()
	d := newDestination(t, sharedServer(t))
	for name, tc := range map[string]struct {
		reason, old, replacement string
		want                     sink.Cause
	}{
		"password": {"it is somebody else's", password, "another", sink.CredentialRefused},
		"user":     {"it does not exist", `"username":"` + d.schema, `"username":"nobody`, sink.CredentialRefused},
		"database": {"it does not exist", `"database":"postgres"`, `"database":"nowhere"`, sink.DestinationNotFound},
		"no TLS":   {"the server has none", `"tlsMode":"Disable"`, `"tlsMode":"Verify"`, sink.DestinationUnreachable},
		"port":     {"nobody listens there", d.line.Address(), "127.0.0.1:1", sink.DestinationUnreachable},
		"second host": {
			"the first one is away", `"hosts":["`, `"hosts":["127.0.0.1:1","`, "",
		},
	} {
		s, err := newSink([]byte(strings.ReplaceAll(d.settings(`"maxConnections":1`), tc.old, tc.replacement)), sink.Environment{})
		must(t, err)
		err = s.(sink.Prober).Probe(t.Context())
		if (err == nil) != (tc.want == "") || err != nil && (sink.CauseOf(err) != tc.want || strings.Contains(err.Error(), password)) {
			t.Errorf("%s: %v, want %q: %s", name, err, tc.want, tc.reason)
		}
		must(t, s.Close())
	}
}

// TestAStandby has a server that takes no writes any more.
func TestAStandby(t *testing.T) {
	t.Parallel()
	d := newDestination(t, sharedServer(t))
	s := d.open(t, `"maxConnections":1`)
	must(t, s.Send(t.Context(), sinktest.Batch(0, 1)))
	d.exec(t, "ALTER ROLE "+d.schema+" SET default_transaction_read_only = on")
	d.line.Cut()
	d.line.Mend()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := s.Send(ctx, sinktest.Batch(1, 1)); err == nil || sink.IsPermanent(err) {
		t.Errorf("Send = %v", err)
	}
	d.exec(t, "ALTER ROLE "+d.schema+" SET default_transaction_read_only = off")
	for ctx.Err() == nil {
		if err := s.Send(ctx, sinktest.Batch(1, 1)); err == nil {
			return
		}
	}
	t.Error("the sink does not recover")
}

// TestTheGuardIsAsked has a server at an address that the sink must not reach.
func TestTheGuardIsAsked(t *testing.T) {
	t.Parallel()
	s, err := newSink([]byte(`{"hosts":["127.0.0.1"],"database":"mail","username":"u"}`), sink.Environment{GuardOwn: true})
	must(t, err)
	defer s.Close() //nolint:errcheck // it says nothing
	if err := s.Send(t.Context(), sinktest.Batch(0, 1)); !sink.IsUnreachable(err) || !strings.Contains(err.Error(), "not allowed") {
		t.Errorf("Send = %v", err)
	}
}

// TestThePageHasTheTable holds the page's SQL against what the sink needs.
func TestThePageHasTheTable(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../../docs/sinks/postgresql.md")
	must(t, err)
	if want := "```sql\n" + definition("mailvane_events") + "```"; !strings.Contains(string(page), want) {
		t.Errorf("docs/sinks/postgresql.md must hold:\n%s", want)
	}
}

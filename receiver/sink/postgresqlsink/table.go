package postgresqlsink

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// table is where rows go.
type table struct {
	// name is quoted for SQL, and plain is for people.
	name, plain string
}

// column is one of those that the sink fills.
type column struct {
	name, kind string
	// more is what else its definition has.
	more string
	// passed is the type of its values on the way, where that is another.
	passed string
	// values returns those of rows, as a list that the client knows.
	values func([]row) any
}

// columns returns the columns in their order. A later release may add some at the end, which must be allowed to be null.
func columns() []column {
	return []column{
		{name: "id", kind: "text", more: " PRIMARY KEY", values: texts(func(r *row) string { return r.message.ID })},
		{name: "type", kind: "text", more: " NOT NULL", values: texts(func(r *row) string { return string(r.event.Type) })},
		{name: "occurred_at", kind: "timestamptz", more: " NOT NULL", values: func(rows []row) any {
			return list(rows, func(r *row) time.Time { return r.message.Time })
		}},
		{name: "source", kind: "text", more: " NOT NULL", values: texts(func(r *row) string { return r.message.Source })},
		{name: "provider", kind: "text", values: texts(func(r *row) string { return r.message.Provider })},
		{name: "provider_event", kind: "text", values: texts(func(r *row) string { return r.event.ProviderEvent })},
		{name: "recipient", kind: "text", values: keys(func(r *row) string { return r.event.Recipient })},
		{name: "sender", kind: "text", values: texts(func(r *row) string { return r.event.Sender })},
		{name: "subject", kind: "text", values: texts(func(r *row) string { return r.event.Subject })},
		{name: "message_id", kind: "text", values: keys(func(r *row) string { return r.event.MessageID })},
		{name: "provider_message_id", kind: "text", values: keys(func(r *row) string { return r.event.ProviderMessageID })},
		{name: "correlation_id", kind: "text", values: texts(func(r *row) string { return r.event.CorrelationID })},
		{name: "account", kind: "text", values: texts(func(r *row) string { return r.event.Account })},
		{name: "smtp_code", kind: "integer", values: func(rows []row) any { return list(rows, smtpCode) }},
		{name: "enhanced_code", kind: "text", values: texts(func(r *row) string { return r.event.EnhancedCode })},
		{name: "bounce_type", kind: "text", values: texts(func(r *row) string { return string(r.event.Bounce.Type) })},
		{name: "bounce_category", kind: "text", values: texts(func(r *row) string { return r.event.Bounce.Category })},
		{name: "reject_reason", kind: "text", values: texts(func(r *row) string { return string(r.event.Reject.Reason) })},
		{name: "reason", kind: "text", values: texts(func(r *row) string { return r.event.Reason })},
		{name: "url", kind: "text", values: texts(func(r *row) string { return r.event.URL })},
		{name: "metadata", kind: "jsonb", passed: "text", values: texts(func(r *row) string { return r.metadata })},
		{name: "dead_letter_sink", kind: "text", values: texts(func(r *row) string { return r.deadLetterSink })},
		{name: "dead_letter_reason", kind: "text", values: texts(func(r *row) string { return r.deadLetterReason })},
		{name: "record", kind: "jsonb", more: " NOT NULL", passed: "text", values: texts(func(r *row) string { return r.record })},
		{name: "raw", kind: "bytea", values: func(rows []row) any { return list(rows, func(r *row) []byte { return r.raw }) }},
	}
}

// list returns a value of each row.
func list[T any](rows []row, value func(*row) T) []T {
	all := make([]T, len(rows))
	for i := range rows {
		all[i] = value(&rows[i])
	}
	return all
}

// texts returns the values of a column of text, where an empty one is null.
func texts(value func(*row) string) func([]row) any {
	return func(rows []row) any {
		return list(rows, func(r *row) *string { return text(value(r)) })
	}
}

// keys is texts for a column with an index, where one that does not fit is null: the record has it.
func keys(value func(*row) string) func([]row) any {
	return texts(func(r *row) string {
		if v := value(r); len(v) <= maxKeyBytes {
			return v
		}
		return ""
	})
}

// maxKeyBytes is more than addresses and message ids have, and less than the third of a page that an entry of an index may have.
const maxKeyBytes = 1000

func smtpCode(r *row) *int32 {
	if r.event.SMTPCode == 0 {
		return nil
	}
	code := int32(r.event.SMTPCode)
	return &code
}

// definition is the SQL that makes a table of a name, and its indexes.
func definition(name string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE TABLE %s (\n", name)
	for _, c := range columns() {
		fmt.Fprintf(&b, "  %s %s%s,\n", c.name, c.kind, c.more)
	}
	b.WriteString("  stored_at timestamptz NOT NULL DEFAULT now(),\n  position bigint GENERATED ALWAYS AS IDENTITY\n);\n")
	for _, by := range []string{"recipient, occurred_at", "message_id", "provider_message_id", "occurred_at"} {
		fmt.Fprintf(&b, "CREATE INDEX ON %s (%s);\n", name, by)
	}
	return b.String()
}

// creating is the lock of who makes a table: several pods may have their first event at the same time.
const creating int64 = 0x6d61696c76616e65

// create makes the table, unless somebody else has meanwhile.
func (t table) create(ctx context.Context, conn *pgx.Conn) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", creating); err != nil {
			return err
		}
		var there bool
		if err := tx.QueryRow(ctx, "SELECT to_regclass($1::text) IS NOT NULL", t.name).Scan(&there); err != nil || there {
			return err
		}
		_, err := tx.Exec(ctx, definition(t.name))
		return err
	})
}

// insert is the statement that inserts any number of rows, given as one list for each column.
func (t table) insert() string {
	var names, values, lists []string
	for i, c := range columns() {
		passed, value := c.kind, c.name
		if c.passed != "" {
			passed, value = c.passed, c.name+"::"+c.kind
		}
		names, values = append(names, c.name), append(values, value)
		lists = append(lists, fmt.Sprintf("$%d::%s[]", i+1, passed))
	}
	all := strings.Join(names, ", ")
	return fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM unnest(%s) AS e (%s) ON CONFLICT (id) DO NOTHING",
		t.name, all, strings.Join(values, ", "), strings.Join(lists, ", "), all)
}

// arguments are those of the statement.
func arguments(rows []row) []any {
	all := make([]any, 0, len(columns()))
	for _, c := range columns() {
		all = append(all, c.values(rows))
	}
	return all
}

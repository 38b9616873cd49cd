package event_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/event"
)

// TestHeadOf holds the head of what was encoded against the attributes that the whole envelope has.
func TestHeadOf(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 678_000_000, time.UTC)
	for name, e := range map[string]event.Event{
		"all of it":           {ID: "a1", Type: event.Bounced, Provider: "Test", Time: at, Recipient: "to@example.com"},
		"no subject":          {ID: "a1", Type: event.Bounced, Provider: "Test", Time: at},
		"escapes":             {ID: `a"\1`, Type: event.Unknown, Provider: "Test", Time: at, Recipient: `"a,\"b"@example.com`},
		"like another member": {ID: "a1", Type: event.Sent, Provider: "Test", Time: at, Recipient: `x","time":"y`},
		"not ASCII":           {ID: "é", Type: event.Sent, Provider: "Test", Time: at, Recipient: "ü€@example.com"},
		"no provider":         {ID: "a1", Type: event.Sent, Time: at, Recipient: "to@example.com"},
		"not UTF-8":           {ID: "a1", Type: event.Sent, Provider: "Test", Time: at, Recipient: "\xff@example.com"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			structured, err := event.Encode(&e, event.Source("mail", "in"))
			if err != nil {
				t.Fatal(err)
			}
			envelope, err := event.ParseEnvelope(structured)
			if err != nil {
				t.Fatal(err)
			}
			want := event.Head{ID: envelope.ID, Source: envelope.Source, Type: envelope.Type, Subject: envelope.Subject, Provider: envelope.Provider, Time: at}
			for form, text := range map[string]string{"as encoded": string(structured), "in another order": reordered(string(structured))} {
				got, err := event.HeadOf([]byte(text))
				if diff := cmp.Diff(want, got); diff != "" || err != nil {
					t.Errorf("%s: %v\n%s", form, err, diff)
				}
			}
		})
	}
}

// reordered puts the version to the end, and blanks between tokens.
func reordered(structured string) string {
	const version = `"specversion":"1.0",`
	return "{ " + strings.TrimSuffix(strings.Replace(structured[1:], version, "", 1), "}") + ` , "specversion" : "1.0" }`
}

func TestHeadOfRefuses(t *testing.T) {
	t.Parallel()
	for name, structured := range map[string]string{
		"nothing":             "",
		"no object":           "[]",
		"cut in the id":       `{"specversion":"1.0","id":"a`,
		"cut in the time":     `{"specversion":"1.0","id":"a","source":"/s","type":"t","time":"2026-01-0`,
		"no id":               `{"specversion":"1.0","source":"/s","type":"t","data":{}}`,
		"no type":             `{"specversion":"1.0","id":"a","source":"/s","data":{}}`,
		"a time that is none": `{"specversion":"1.0","id":"a","source":"/s","type":"t","time":"soon","data":{}}`,
	} {
		if h, err := event.HeadOf([]byte(structured)); err == nil {
			t.Errorf("%s: %+v", name, h)
		}
	}
}

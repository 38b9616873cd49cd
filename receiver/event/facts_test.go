package event_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/event"
)

// TestFacts reads back what encoding wrote, whatever a provider may have put into it.
func TestFacts(t *testing.T) {
	t.Parallel()
	for name, e := range map[string]event.Event{
		"nothing but what every event has": {ID: "1", Type: event.Opened},
		"everything that is looked for": {
			ID: "0f", Type: event.Bounced, Recipient: "ada@example.com", Recipients: []string{"ada@example.com", "bob@example.com"},
			MessageID: "m@example.com", ProviderMessageID: "p", SMTPCode: 550, EnhancedCode: "5.1.1",
		},
		"what JSON escapes": {
			ID: "a\"b\\c", Type: "odd", Recipient: "\"a b\"@example.com", Recipients: []string{`\`, `"`, "a,b", "]", ""},
			MessageID: "\x00\x1f\u2028<html>]},{", ProviderMessageID: "\U0001f4ec",
		},
		"the same names elsewhere": {
			ID: "1", Type: event.Clicked, Metadata: map[string]string{"recipient": "eve@example.com", "messageId": "x"},
			Details: map[string]string{"smtpCode": "1"}, Tags: []string{`"recipient":"eve@example.com"`},
			Raw: []byte(`{"recipient":"eve@example.com","data":{"messageId":"x"},"id":"2","deep":[[{"a":"}]"}]]}`),
		},
		"a list of nobody": {ID: "1", Type: event.Sent, Recipients: []string{}},
	} {
		e.Time = time.Unix(1, 0)
		encoded, err := event.Encode(&e, event.Source("mail", "a\"b"))
		if err != nil {
			t.Fatal(err)
		}
		got, err := event.FactsOf(encoded)
		want := event.Facts{
			ID: e.ID, Source: event.Source("mail", "a\"b"), Type: string(e.Type), Recipient: e.Recipient, Recipients: e.Recipients,
			MessageID: e.MessageID, ProviderMessageID: e.ProviderMessageID, SMTPCode: e.SMTPCode, EnhancedCode: e.EnhancedCode,
		}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
		id, source, err := event.OriginOf(encoded)
		if string(id) != e.ID || string(source) != want.Source || err != nil {
			t.Errorf("%s: %q %q %v", name, id, source, err)
		}
		spaced := []byte(strings.Replace(string(encoded), `,"source"`, "\n, \"source\"", 1))
		if again, err := event.FactsOf(spaced); err != nil || !cmp.Equal(again, want) {
			t.Errorf("%s, with white space: %v %+v", name, err, again)
		}
		if id, _, err := event.OriginOf(spaced); string(id) != e.ID || err != nil {
			t.Errorf("%s, with white space: %q %v", name, id, err)
		}
	}
}

// TestFactsOfWhatIsNoEvent cuts an event everywhere.
func TestFactsOfWhatIsNoEvent(t *testing.T) {
	t.Parallel()
	encoded, err := event.Encode(&event.Event{ID: "1", Type: event.Bounced, SMTPCode: 550, Recipients: []string{"a"}, Raw: []byte(`{"a":[1]}`)}, "/mailvane/a/b")
	if err != nil {
		t.Fatal(err)
	}
	for n := range encoded {
		if f, err := event.FactsOf(encoded[:n]); err == nil {
			t.Errorf("%d bytes are an event: %+v", n, f)
		}
	}
	if _, _, err := event.OriginOf([]byte(`{"specversion":"1.0","source":"x"}`)); err == nil {
		t.Error("an event without an id has one")
	}
}

func FuzzFacts(f *testing.F) {
	f.Add("a@example.com", "m", "\x00", 550)
	f.Fuzz(func(t *testing.T, recipient, message, id string, code int) {
		e := event.Event{ID: "x" + id, Type: event.Bounced, Recipient: recipient, Recipients: []string{recipient, message}, MessageID: message, SMTPCode: code}
		encoded, err := event.Encode(&e, "/mailvane/a/b")
		if err != nil {
			t.Skip()
		}
		envelope, err := event.ParseEnvelope(encoded)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := envelope.Event()
		if err != nil {
			t.Fatal(err)
		}
		got, err := event.FactsOf(encoded)
		if err != nil || got.Recipient != parsed.Recipient || got.MessageID != parsed.MessageID || got.ID != envelope.ID || got.SMTPCode != parsed.SMTPCode {
			t.Errorf("%+v, want %+v: %v", got, parsed, err)
		}
	})
}

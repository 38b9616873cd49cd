package event_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/event"
)

func sample() *event.Event {
	return &event.Event{
		ID: "0123", Type: event.Bounced, Provider: "EmailEngine", ProviderEvent: "messageBounce",
		Time:      time.Date(2021, 11, 28, 10, 17, 29, 728e6, time.UTC),
		TimeRaw:   "2021-11-28T10:17:29.728Z",
		Recipient: "to@example.com", MessageID: "m@example.com",
		Bounce:   event.Bounce{Type: event.Hard},
		Metadata: map[string]string{"b": "2", "a": "1"},
		Details:  map[string]string{"mta": "mx.example.com"},
		Raw:      jsontext.Value(`{"big": 12345678901234567890, "esc": "\/é", "n": 1.50}`),
	}
}

func TestEncode(t *testing.T) {
	t.Parallel()
	got, err := event.Encode(sample(), event.Source("mail", "emailengine"))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"specversion":"1.0","id":"0123","source":"/mailvane/mail/emailengine","type":"dev.mailvane.email.bounced.v1",` +
		`"subject":"to@example.com","time":"2021-11-28T10:17:29.728Z","datacontenttype":"application/json",` +
		`"dataschema":"https://mailvane.dev/schemas/event.v1.json","provider":"emailengine","providerevent":"messageBounce","partitionkey":"m@example.com",` +
		`"data":{"id":"0123","type":"email.bounced","provider":"EmailEngine","providerEvent":"messageBounce",` +
		`"time":"2021-11-28T10:17:29.728Z","timeRaw":"2021-11-28T10:17:29.728Z","recipient":"to@example.com","messageId":"m@example.com",` +
		`"bounce":{"type":"hard"},"metadata":{"a":"1","b":"2"},"details":{"mta":"mx.example.com"},` +
		`"raw":{"big":12345678901234567890,"esc":"\/é","n":1.50}}}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Fatalf("envelope (-want +got):\n%s", diff)
	}
}

// TestUnverifiedIsAnAttribute lets a consumer of binary mode, which reads the attributes alone, tell such an event apart.
func TestUnverifiedIsAnAttribute(t *testing.T) {
	t.Parallel()
	e := sample()
	e.Unverified = true
	encoded, err := event.Encode(e, "/s")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(encoded), `"partitionkey":"m@example.com","unverified":true,"data":`) {
		t.Errorf("envelope %s", encoded)
	}
	envelope, err := event.ParseEnvelope(encoded)
	if err != nil || !envelope.Unverified {
		t.Errorf("read as %+v, %v", envelope.Attributes, err)
	}
}

func TestEncodeIsOneLine(t *testing.T) {
	t.Parallel()
	e := sample()
	e.Raw = jsontext.Value("{\n  \"a\": \"x\\ny\",\r\n  \"b\": [1,\n 2]\n}")
	got, err := event.Encode(e, "/s")
	if err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(string(got), "\r\n") || !strings.Contains(string(got), `"raw":{"a":"x\ny","b":[1,2]}`) {
		t.Fatalf("not on one line, or raw changed: %s", got)
	}
}

func TestParseEnvelopeReadsWhatEncodeWrote(t *testing.T) {
	t.Parallel()
	encoded, err := event.Encode(sample(), "/mailvane/a/b")
	if err != nil {
		t.Fatal(err)
	}
	envelope, err := event.ParseEnvelope(encoded)
	if err != nil {
		t.Fatal(err)
	}
	got, err := envelope.Event()
	if err != nil {
		t.Fatal(err)
	}
	want := sample()
	if err := want.Raw.Compact(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, &got, cmp.Comparer(func(a, b jsontext.Value) bool { return string(a) == string(b) })); diff != "" {
		t.Fatalf("event (-want +got):\n%s", diff)
	}
	again, err := envelope.Encode()
	if err != nil || string(again) != string(encoded) {
		t.Fatalf("the envelope changed: %v\n%s", err, again)
	}
}

func TestSetDeadLetterAddsAttributes(t *testing.T) {
	t.Parallel()
	encoded, _ := event.Encode(sample(), "/mailvane/a/b")
	envelope, err := event.ParseEnvelope(encoded)
	if err != nil {
		t.Fatal(err)
	}
	envelope.SetDeadLetter("a/crm", "422 Unprocessable\nEntity")
	out, err := envelope.Encode()
	if err != nil {
		t.Fatal(err)
	}
	var attributes map[string]any
	if err := json.Unmarshal(out, &attributes); err != nil {
		t.Fatal(err)
	}
	if attributes["deadlettersink"] != "a/crm" || attributes["deadletterreason"] != "422 UnprocessableEntity" {
		t.Fatalf("attributes: %v", attributes)
	}
}

func TestAttributesHoldNoControlCharacters(t *testing.T) {
	t.Parallel()
	e := sample()
	e.Recipient = "a\x00b\u0085c\uFFFE@example.com"
	encoded, err := event.Encode(e, "/s")
	if err != nil {
		t.Fatal(err)
	}
	envelope, err := event.ParseEnvelope(encoded)
	if err != nil || envelope.Subject != "abc@example.com" {
		t.Fatalf("subject %q, %v", envelope.Subject, err)
	}
}

func TestIDOf(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		envelope, want string
		fails          bool
	}{
		"as Encode writes it":  {`{"specversion":"1.0","id":"a1","data":{"id":"other"}}`, "a1", false},
		"an id with an escape": {`{"specversion":"1.0","id":"a\"1","data":{}}`, `a"1`, false},
		"in another order":     {`{"data":{"id":"other"},"id":"a1"}`, "a1", false},
		"without an id":        {`{"specversion":"1.0","data":{"id":"other"}}`, "", true},
		"no JSON":              {`{"specversion":"1.0"`, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, err := event.IDOf([]byte(tc.envelope)); string(got) != tc.want || (err != nil) != tc.fails {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestKeyAndSubject(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		event        event.Event
		key, subject string
	}{
		"message id keys, recipient is subject": {event.Event{MessageID: "m", Recipient: "r", ProviderMessageID: "p"}, "m", "r"},
		"provider message id":                   {event.Event{ProviderMessageID: "p", Account: "a"}, "p", "p"},
		"recipient only":                        {event.Event{Recipient: "r", Account: "a"}, "r", "r"},
		"account only":                          {event.Event{Account: "a"}, "a", "a"},
		"provider's choice":                     {event.Event{PartitionKey: "k", MessageID: "m"}, "k", "m"},
		"nothing":                               {event.Event{}, "", ""},
		"as long as it may be":                  {event.Event{PartitionKey: strings.Repeat("k", 512), Account: "a"}, strings.Repeat("k", 512), "a"},
		"longer":                                {event.Event{MessageID: strings.Repeat("k", 513), Account: "a"}, event.HashID(strings.Repeat("k", 513)), strings.Repeat("k", 513)},
	}
	for name, tc := range cases {
		if got := tc.event.Key(); got != tc.key {
			t.Errorf("%s: Key = %q, want %q", name, got, tc.key)
		}
		if got := tc.event.CloudEventsSubject(); got != tc.subject {
			t.Errorf("%s: subject = %q, want %q", name, got, tc.subject)
		}
	}
}

// TestALongNameOfAnEventIsInTheDataOnly has no attribute that a header or a table of a consumer cannot hold.
func TestALongNameOfAnEventIsInTheDataOnly(t *testing.T) {
	t.Parallel()
	for length, want := range map[int]bool{0: false, 1: true, 256: true, 257: false, 5000: false} {
		name := strings.Repeat("n", length)
		encoded, err := event.Encode(&event.Event{ID: "1", Type: event.Unknown, Provider: "Test", ProviderEvent: name, Time: time.Unix(0, 0)}, "/mailvane/a/b")
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(string(encoded), `"providerevent":"`+name+`"`); got != want {
			t.Errorf("%d bytes: the attribute is there: %t", length, got)
		}
		if length > 0 && !strings.Contains(string(encoded), `"providerEvent":"`+name+`"`) {
			t.Errorf("%d bytes: the data lacks the name", length)
		}
	}
}

func TestHashIDPrefixesLengths(t *testing.T) {
	t.Parallel()
	if event.HashID("ab", "c") == event.HashID("a", "bc") {
		t.Fatal("parts run together")
	}
	// The first 16 bytes of SHA-256 over 02 61 62 01 63, computed with sha256sum.
	if got, want := event.HashID("ab", "c"), "c150b536a0d7450f5d040d8dac8f6924"; got != want {
		t.Fatalf("HashID = %s", got)
	}
	if event.HashID(strings.Repeat("x", 1000)) == event.HashID(strings.Repeat("x", 1001)) {
		t.Fatal("long parts collide")
	}
}

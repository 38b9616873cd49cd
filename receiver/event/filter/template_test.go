package filter_test

import (
	"strings"
	"testing"
	"time"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/event/filter"
)

// build returns what a template makes of an event.
func build(t *testing.T, expression string, e *event.Event) (string, error) {
	t.Helper()
	template, err := filter.NewTemplate(expression)
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	out, err := template.Build(e)
	return string(out), err
}

func TestBuild(t *testing.T) {
	t.Parallel()
	e := bounced()
	e.Raw = []byte(`{"n":12345678901234567890}`)
	e.Reason = "550 \"no\" <\xff> \u2028"
	e.Recipients = []string{"a@example.com", "b@example.com"}
	for name, tc := range map[string]struct{ expression, want string }{
		"an object":                           {`{"email": event.recipient, "type": event.type}`, `{"email":"a@example.com","type":"email.bounced"}`},
		"members are in the order of names":   {`{"b": 1, "a": 2, "c": 3}`, `{"a":2,"b":1,"c":3}`},
		"a list":                              {`[event.recipient, event.provider]`, `["a@example.com","EmailEngine"]`},
		"no elements, no members":             {`[[], {}]`, `[[],{}]`},
		"what was not sent is empty":          {`{"a": event.messageId, "b": event.smtpCode + 1, "c": event.metadata.absent, "d": event.tags[7]}`, `{"a":"","b":551,"c":"","d":""}`},
		"what is not meant to be there":       {`{"a": event.messageId != "" ? dyn(event.messageId) : dyn(null)}`, `{"a":null}`},
		"a text is quoted as JSON asks":       {`{"a": event.reason}`, "{\"a\":\"550 \\\"no\\\" <\ufffd> \u2028\"}"},
		"an instruction in a text is a text":  {`{"a": "\"}, {\""}`, `{"a":"\"}, {\""}`},
		"numbers keep their digits":           {`[9007199254740993, 18446744073709551615u, 0.5, -1]`, `[9007199254740993,18446744073709551615,0.5,-1]`},
		"a flag":                              {`{"a": event.unverified, "b": true}`, `{"a":false,"b":true}`},
		"a time":                              {`{"a": event.time, "b": int(event.time), "c": duration("90s")}`, `{"a":"2026-01-02T03:04:05Z","b":1767323045,"c":"90s"}`},
		"bytes are in base64":                 {`{"a": b"\xff\x00"}`, `{"a":"/wA="}`},
		"raw is the JSON that it holds":       {`{"a": event.raw}`, `{"a":{"n":12345678901234567890}}`},
		"a structure":                         {`{"a": event.bounce}`, `{"a":{"type":"hard","category":"user_unknown"}}`},
		"maps and lists of the event":         {`{"a": event.metadata, "b": event.recipients, "c": event.details}`, `{"a":{"order_id":"4711"},"b":["a@example.com","b@example.com"],"c":{"listId":"news"}}`},
		"a macro":                             {`{"a": event.recipients.map(r, {"to": r})}`, `{"a":[{"to":"a@example.com"},{"to":"b@example.com"}]}`},
		"a choice of two objects":             {`event.type == "email.bounced" ? {"a": "b"} : {"a": "c"}`, `{"a":"b"}`},
		"a choice of what is no one type":     {`{"a": event.smtpCode > 0 ? dyn(event.smtpCode) : dyn("none")}`, `{"a":550}`},
		"functions on texts are those of CEL": {`{"a": event.recipient.split("@")[1], "b": "%s-%d".format([event.provider, event.smtpCode])}`, `{"a":"example.com","b":"EmailEngine-550"}`},
	} {
		for range 3 { // maps have no order
			got, err := build(t, tc.expression, e)
			if err != nil || got != tc.want {
				t.Errorf("%s: %s, %v; want %s", name, got, err, tc.want)
			}
		}
	}
}

// TestTheWholeEvent has an event that its own JSON is.
func TestTheWholeEvent(t *testing.T) {
	t.Parallel()
	e := bounced()
	e.Raw = []byte(`{"a":1}`)
	got, err := build(t, `{"event": event, "mail": event.mail}`, e)
	if err != nil || !strings.Contains(got, `"recipient":"a@example.com"`) || !strings.Contains(got, `"raw":{"a":1}`) || !strings.HasPrefix(got, `{"event":{"id":"1"`) {
		t.Errorf("%s, %v", got, err)
	}
	e.Mail = &event.Mail{Text: "Hello", Date: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	if got, err = build(t, `{"mail": event.mail, "text": event.mail.text}`, e); err != nil || got != `{"mail":{"date":"2026-01-01T00:00:00Z","text":"Hello"},"text":"Hello"}` {
		t.Errorf("%s, %v", got, err)
	}
}

func TestTemplatesAreRefused(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ expression, want string }{
		"a filter":                 {`event.type == "email.bounced"`, "must yield an object"},
		"a text":                   {`"{}"`, "must yield an object"},
		"a text of the event":      {`event.recipient`, "must yield an object"},
		"the event alone":          {`event`, "must yield an object"},
		"a field that is not":      {`{"email": event.recipent}`, "undefined field 'recipent'"},
		"another variable":         {`{"email": item.recipient}`, "undeclared reference"},
		"no expression":            {``, "does not compile"},
		"JSON of another kind":     {`{"email": "{{ event.recipient }}", }}`, "does not compile"},
		"members without a text":   {`{1: event.recipient}`, "must name the members of an object by texts"},
		"a type that is not":       {`{"hard": event.type == "email.bounce"}`, `did you mean "email.bounced"?`},
		"longer than it may be":    {`{"a": "` + strings.Repeat("x", 4096) + `"}`, "at most 4096 bytes"},
		"a time that is not":       {`{"a": timestamp("yesterday")}`, "does not compile"},
		"a regular expression":     {`{"a": event.recipient.matches("(")}`, "does not compile"},
		"a member of another type": {`{"a": event.smtpCode + "1"}`, "no matching overload"},
	} {
		if err := filter.CheckTemplate(tc.expression, nil); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", name, err, tc.want)
		}
	}
}

// TestATemplateFails has expressions that fail for an event, and says of none what the event says.
func TestATemplateFails(t *testing.T) {
	t.Parallel()
	e := bounced()
	e.Reason = strings.Repeat("secret ", 20_000)
	for name, tc := range map[string]struct{ expression, want string }{
		"a number that is none":        {`{"a": int(event.recipient)}`, "converts a value"},
		"a division":                   {`{"a": 1 / (event.smtpCode - 550)}`, "divides by zero"},
		"a key of a map of numbers":    {`{"a": {"x": 1}[event.recipient]}`, "reads a key that is not there"},
		"more text than an event has":  {`{"a": event.reason.replace("", event.reason)}`, "cannot be evaluated"},
		"more JSON than an event has":  {`{"a": [1,2,3,4,5,6,7,8,9].map(x, event.reason)}`, "more JSON than an expression may"},
		"it costs more than it may":    {`{"a": event.reason.split(" ").map(x, event.reason.split(" ").exists(y, x == y))}`, "it"},
		"no object after all":          {`dyn(event.recipient)`, "must yield an object"},
		"no number":                    {`{"a": 0.0 / 0.0}`, "no JSON"},
		"a type":                       {`{"a": type(event.recipient)}`, "no JSON"},
		"a name that is no text":       {`{"a": {dyn(1): 2}}`, "by something that is no text"},
		"a time zone that is not":      {`{"a": event.time.getHours(event.recipient)}`, "time zone"},
		"an element that is not there": {`{"a": [1][7]}`, "reads a place"},
	} {
		got, err := build(t, tc.expression, e)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %.60s, %v; want %q", name, got, err, tc.want)
		}
		if err != nil && (strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "example.com")) {
			t.Errorf("%s: the error tells what the event says: %v", name, err)
		}
	}
}

// TestRawMayBeLarge has a payload that is larger than what an expression may build.
func TestRawMayBeLarge(t *testing.T) {
	t.Parallel()
	e := bounced()
	e.Raw = []byte(`"` + strings.Repeat("x", 3<<20) + `"`)
	if got, err := build(t, `{"raw": event.raw}`, e); err != nil || len(got) != len(e.Raw)+len(`{"raw":}`) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if got, err := build(t, `{"a": event.raw, "b": event.raw}`, e); err == nil {
		t.Errorf("twice a payload is taken: %d bytes", len(got))
	}
}

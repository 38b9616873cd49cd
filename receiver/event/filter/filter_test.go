package filter_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/event/filter"
)

func bounced() *event.Event {
	return &event.Event{
		ID: "1", Type: event.Bounced, Provider: "EmailEngine", Recipient: "a@example.com",
		Time:   time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Bounce: event.Bounce{Type: event.Hard, Category: event.CategoryUserUnknown}, SMTPCode: 550,
		Tags: []string{"spring"}, Metadata: map[string]string{"order_id": "4711"}, Details: map[string]string{"listId": "news"},
	}
}

func TestMatch(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		expression string
		event      *event.Event
		want       bool
	}{
		"short name and nested field":      {`event.type == "email.bounced" && event.bounce.type == "hard"`, bounced(), true},
		"nested field of another type":     {`event.bounce.type == "hard"`, &event.Event{Type: event.Delivered}, false},
		"absent map key is testable":       {`"x" in event.metadata`, bounced(), false},
		"map value":                        {`event.metadata["order_id"] == "4711"`, bounced(), true},
		"detail of the provider":           {`event.details["listId"] == "news" && !("listId" in event.metadata)`, bounced(), true},
		"cut metadata":                     {`event.truncated`, bounced(), false},
		"list membership":                  {`"spring" in event.tags`, bounced(), true},
		"nil list":                         {`"spring" in event.tags`, &event.Event{}, false},
		"nil map":                          {`"a" in event.metadata`, &event.Event{}, false},
		"number":                           {`event.smtpCode >= 500`, bounced(), true},
		"time":                             {`event.time > timestamp("2026-01-01T00:00:00Z")`, bounced(), true},
		"string functions":                 {`event.recipient.endsWith("@example.com")`, bounced(), true},
		"type in a list":                   {`event.type in ["email.bounced", "email.complained"]`, bounced(), true},
		"lower-case extension":             {`event.recipient.lowerAscii() == "a@example.com"`, bounced(), true},
		"constant":                         {`true`, bounced(), true},
		"json name, not the Go name":       {`event.messageId == ""`, bounced(), true},
		"presence of an unset struct":      {`has(event.reject.reason)`, bounced(), false},
		"category of a bounce":             {`event.bounce.category == "user_unknown"`, bounced(), true},
		"verification mark of shadow mode": {`event.unverified`, bounced(), false},
		"absent key reads as empty":        {`event.metadata["absent"] == ""`, bounced(), true},
		"absent key by its name":           {`event.metadata.absent.startsWith("x")`, bounced(), false},
		"key by its name":                  {`event.details.listId == "news"`, bounced(), true},
		"absent key of a nil map":          {`event.metadata["listId"] == "news"`, &event.Event{}, false},
		"key that the event names":         {`event.metadata[event.recipient] == "" && event.metadata[event.tags[0] + "x"] == ""`, bounced(), true},
		"has tells the truth of a key":     {`has(event.details.listId) && !has(event.metadata.absent)`, bounced(), true},
		"in tells the truth of a nil map":  {`"listId" in event.metadata`, &event.Event{}, false},
		"first of an empty list":           {`event.recipients[0] == ""`, &event.Event{}, true},
		"position that is not there":       {`event.tags[1] == "" && event.tags[-1] == ""`, bounced(), true},
		"position that is there":           {`event.tags[0] == "spring"`, bounced(), true},
		"absent key inside a macro":        {`event.tags.exists(t, event.metadata[t] == "")`, bounced(), true},
		"absent key of a constant map":     {`{"a": "b"}[event.provider] == ""`, bounced(), true},
		"a map of numbers is CEL's own":    {`{"EmailEngine": 1}[event.provider] == 1`, bounced(), true},
		"replace":                          {`event.recipient.replace("a@", "b@") == "b@example.com" && "aaa".replace("a", "b", 2) == "bba"`, bounced(), true},
		"replace with and without limits":  {`"aa".replace("a", "b", 0) == "aa" && "aa".replace("a", "b", -1) == "bb" && "ab".replace("", "x") == "xaxbx"`, bounced(), true},
		"split and join":                   {`event.recipient.split("@").join("+") == "a+example.com" && "a b c".split(" ", 2)[1] == "b c" && ["a", "b"].join() == "ab"`, bounced(), true},
		"format":                           {`"%s is %d".format([event.provider, event.smtpCode]) == "EmailEngine is 550" && "%s".format([event.tags]) == "[spring]"`, bounced(), true},
		"split into nothing":               {`"a b".split(" ", 0).size() == 0 && "a b".split(" ", -1).size() == 2`, bounced(), true},
		"a zone that the system may lack":  {`event.time.getHours("Europe/Berlin") == 4`, bounced(), true},
	}
	c := newCompiler(t)
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, err := c.Compile(tc.expression)
			if err != nil {
				t.Fatal(err)
			}
			got, err := f.Match(tc.event)
			if err != nil || got != tc.want {
				t.Fatalf("Match = %v, %v; want %v", got, err, tc.want)
			}
		})
	}
}

func TestCompileRefuses(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ expression, say string }{
		"unknown field":    {`event.typ == "x"`, "undefined field 'typ'"},
		"wrong type":       {`event.smtpCode == "550"`, "no matching overload"},
		"not a bool":       {`event.type`, "must yield true or false"},
		"syntax":           {`event.type ==`, "Syntax error"},
		"unknown variable": {`message.type == "x"`, "undeclared reference"},
		"too long":         {strings.Repeat(" ", 5000) + "true", "at most 4096"},
		"internal field":   {`event.PartitionKey == "x"`, "undefined field"},
		"a Go name":        {`event.MessageID == "x"`, "undefined field"},
		"empty":            {``, "Syntax error"},
		"no such date":     {`event.time > timestamp("2026-13-01T00:00:00Z")`, "invalid timestamp"},
		"no such duration": {`event.time - event.time > duration("1 day")`, "invalid duration"},
		"no such pattern":  {`event.subject.matches("(")`, "invalid matches"},
		"our own function": {`@lookup(event.metadata, "a") == "b"`, "Syntax error"},
	}
	c := newCompiler(t)
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := c.Compile(tc.expression)
			if err == nil || !strings.Contains(err.Error(), tc.say) {
				t.Fatalf("Compile error = %v; want it to say %q", err, tc.say)
			}
		})
	}
}

func TestMatchReportsRunTimeErrors(t *testing.T) {
	t.Parallel()
	c := newCompiler(t)
	for _, expression := range []string{`{"a": 1}[event.recipient] == 1`, `1 / (event.smtpCode - 550) == 1`} {
		f, err := c.Compile(expression)
		if err != nil {
			t.Fatal(err)
		}
		if selected, err := f.Match(bounced()); err == nil || selected {
			t.Errorf("%s: Match = %v, %v; want an error", expression, selected, err)
		}
	}
}

func BenchmarkMatch(b *testing.B) {
	c, err := filter.NewCompiler()
	if err != nil {
		b.Fatal(err)
	}
	f, err := c.Compile(`event.type == "email.bounced" && event.bounce.type == "hard"`)
	if err != nil {
		b.Fatal(err)
	}
	e := bounced()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.Match(e); err != nil {
			b.Fatal(err)
		}
	}
}

func newCompiler(t *testing.T) *filter.Compiler {
	t.Helper()
	c, err := filter.NewCompiler()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestLoopsAreBounded evaluates a filter whose cost grows with the third power of the number of recipients.
func TestLoopsAreBounded(t *testing.T) {
	t.Parallel()
	f, err := newCompiler(t).Compile(`event.recipients.all(a, event.recipients.all(b, event.recipients.all(c, a + b != c)))`)
	if err != nil {
		t.Fatal(err)
	}
	e := bounced()
	e.Recipients = slices.Repeat([]string{"a@example.com"}, 200)
	if _, err := f.Match(e); err == nil || !strings.Contains(err.Error(), "cost limit") {
		t.Errorf("error: %v", err)
	}
}

func TestAFilterIsCompiledOnce(t *testing.T) {
	t.Parallel()
	c := newCompiler(t)
	first, err := c.Compile(`event.smtpCode == 550`)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if again, err := c.Compile(`event.smtpCode == 550`); err != nil || again != first {
			t.Errorf("compiled again: %v", err)
		}
		if other, err := c.Compile(`event.smtpCode == 551`); err != nil || other == first {
			t.Errorf("another filter is the same: %v", err)
		}
	}
}

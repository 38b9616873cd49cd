package mapping_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/mapping"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

func compile(t testing.TB, rules mapping.Rules) *mapping.Mapping {
	t.Helper()
	m, err := mapping.Compile(&rules)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func received() time.Time { return time.Date(2026, time.January, 2, 3, 4, 5, 0, time.UTC) }

func decode(m *mapping.Mapping, body string) provider.Batch {
	r := &provider.Request{Header: http.Header{"X-Kind": {"bounce"}, "X-Other": {"secret"}}, Body: []byte(body), ReceivedAt: received()}
	return m.Decode(r, mapping.Origin{Provider: "StandardWebhooks", Message: "msg_1"})
}

// rules are those of a sender with lists of events.
func rules() mapping.Rules {
	return mapping.Rules{
		Items: "body.batch.events", Type: "item.event", Types: map[string]string{"hardBounce": "email.bounced", "open": "email.opened", "drop": "email.rejected"},
		ID: []string{"item.id"}, Time: "timestamp(item.at)",
		Fields: map[string]string{
			"recipient": "item.email", "account": "body.account", "bounce.type": `"hard"`, "smtpCode": "int(item.code)", "details.kind": `headers["x-kind"]`,
			"messageId": "item.mail.id", "tags": "item.tags", "url": `item.link.startsWith("https:") ? item.link : ""`,
		},
		Metadata: "item.custom",
	}
}

func TestDecode(t *testing.T) {
	t.Parallel()
	m := compile(t, rules())
	b := decode(m, `{"account":"acc","batch":{"events":[
		{"id":9007199254740993,"event":"HARDBOUNCE","at":"2026-01-01T00:00:00Z","email":"A <a@Example.com>","code":"550","mail":{"id":"<m@example.com>"},"custom":{"order":4711,"deep":{"a":[1,null]}},"tags":["x","y"],"link":"https://example.com/"},
		{"id":"2","event":"open","at":1767225600,"email":null,"mail":null,"custom":[],"tags":"z","link":"ftp:"},
		{"id":"3","event":"other"}]}}`)
	if len(b.Events) != 3 || len(b.Undecodable) != 0 {
		t.Fatalf("%+v", b)
	}
	want := []event.Event{
		{
			Type: event.Bounced, Provider: "StandardWebhooks", ProviderEvent: "HARDBOUNCE", Time: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), TimeRaw: "2026-01-01T00:00:00Z",
			ProviderEventID: "msg_1", Recipient: "a@example.com", Account: "acc", SMTPCode: 550, MessageID: "m@example.com", Bounce: event.Bounce{Type: event.Hard},
			Metadata: map[string]string{"order": "4711", "deep": `{"a":[1,null]}`}, Details: map[string]string{"kind": "bounce"}, Tags: []string{"x", "y"}, URL: "https://example.com/",
		},
		{Type: event.Opened, Provider: "StandardWebhooks", ProviderEvent: "open", Time: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), TimeRaw: "2026-01-01T00:00:00Z", ProviderEventID: "msg_1", Account: "acc", Details: map[string]string{"kind": "bounce"}, Tags: []string{"z"}},
		{Type: event.Unknown, Provider: "StandardWebhooks", ProviderEvent: "other", Time: received(), TimeImplausible: true, ProviderEventID: "msg_1", Account: "acc", Details: map[string]string{"kind": "bounce"}},
	}
	for i, e := range b.Events {
		raw := e.Raw
		e.ID, e.Raw = "", nil
		if diff := cmp.Diff(want[i], e); diff != "" {
			t.Errorf("%d: -want +got:\n%s", i, diff)
		}
		again := decode(m, string(raw))
		if diff := cmp.Diff(b.Events[i:i+1], again.Events); diff != "" || strings.Contains(string(raw), "secret") {
			t.Errorf("%d: decoded again from %s:\n%s", i, raw, diff)
		}
	}
	if diff := cmp.Diff([]string{"x-kind"}, m.DecodeHeaders()); diff != "" {
		t.Errorf("headers: %s", diff)
	}
}

// TestWhereItemsAre has bodies of all forms, each of them decoded again from what is kept of it.
func TestWhereItemsAre(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		items, body         string
		events, undecodable int
		say                 string
	}{
		"one object":                {"", `{"event":"open"}`, 1, 0, ""},
		"an array":                  {"body", `[{"event":"open"},{"event":"open","a":1}]`, 2, 0, ""},
		"JSON Lines":                {"", "{\"event\":\"open\"}\n{\"event\":\"drop\"}\n", 2, 0, ""},
		"a list":                    {"body.events", `{"events":[{"event":"open"},{"event":"drop"}],"x":1}`, 2, 0, ""},
		"one in place of a list":    {"body.events", `{"events":{"event":"open"},"x":1}`, 1, 0, ""},
		"twins":                     {"body.events", `{"events":[{"event":"open"},{"event":"open"}]}`, 2, 0, ""},
		"an empty list":             {"body.events", `{"events":[]}`, 0, 0, ""},
		"no list, said so":          {"body.events", `{"events":null}`, 0, 0, ""},
		"a list of lists of events": {"body.events", `[{"events":[{"event":"open"}]},{"events":[{"event":"drop"},{"event":"open","a":1}]}]`, 3, 0, ""},
		"scalars in the list":       {"body.events", `{"events":[1,"x",{"event":"open"}]}`, 3, 0, ""},
		"no list":                   {"body.events", `{"event":"open"}`, 0, 1, "no list at body.events"},
		"a text":                    {"body.events", `{"events":"open"}`, 0, 1, "no list at body.events"},
		"a list that is a text":     {"body.events", `{"events":"[{}]"}`, 0, 1, "no list at body.events"},
		"two lists":                 {"body.events", `{"events":[{"event":"open"}],"events":[]}`, 0, 1, "twice"},
		"a sentence":                {"", `hello`, 0, 1, "JSON"},
		"a bad line":                {"", "{\"event\":\"open\"}\n{\"event\"\n{\"event\":\"drop\"}", 2, 1, "invalid JSON"},
		"not UTF-8":                 {"body.events", "{\"events\":[{\"event\":\"open\"},{\"event\":\"\xff\"}]}", 2, 0, ""},
		"a name twice, unread":      {"body.events", `{"x":1,"x":2,"events":[{"event":"open"},{"event":"drop","y":1,"y":2}]}`, 2, 0, ""},
		"a name twice, read":        {"body.events", `{"events":[{"event":"open","event":"drop"},{"event":"drop"}]}`, 1, 1, "type: a member that it reads occurs twice"},
		"a name twice, the same":    {"body.events", `{"events":[{"event":"open","event":"open"}]}`, 1, 0, ""},
		"a byte order mark":         {"body.events", "\ufeff" + `{"events":[{"event":"open"}]}`, 1, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := compile(t, mapping.Rules{Items: c.items, Type: "item.event", Types: map[string]string{"open": "email.opened", "drop": "email.rejected"}})
			b := decode(m, c.body)
			if len(b.Events) != c.events || len(b.Undecodable) != c.undecodable || c.say != "" && !strings.Contains(b.Undecodable[0].Reason, c.say) {
				t.Fatalf("%d events, %+v", len(b.Events), b.Undecodable)
			}
			ids := map[string]bool{}
			for _, e := range b.Events {
				ids[e.ID] = true
				again := decode(m, string(wire.Unwrap(e.Raw)))
				if name == "twins" {
					again.Events[0].ID = e.ID // the second is told apart by its place among equals
				}
				if diff := cmp.Diff([]event.Event{e}, again.Events); diff != "" || !json.Valid(e.Raw) {
					t.Errorf("decoded again from %s:\n%s", e.Raw, diff)
				}
			}
			if len(ids) != len(b.Events) {
				t.Errorf("%d ids of %d events", len(ids), len(b.Events))
			}
		})
	}
}

// TestIdentity has what is one event and what is two.
func TestIdentity(t *testing.T) {
	t.Parallel()
	id := func(id []string, message, body string) string {
		m := compile(t, mapping.Rules{Type: "item.event", ID: id})
		return m.Decode(&provider.Request{Body: []byte(body), ReceivedAt: received()}, mapping.Origin{Provider: "p", Message: message}).Events[0].ID
	}
	parts := []string{"item.id", "item.to"}
	first := id(parts, "msg_1", `{"event":"open","id":1,"to":"a","n":1}`)
	for what, c := range map[string]struct {
		id   string
		same bool
	}{
		"another attempt":                {id(parts, "msg_2", `{"n":2,"to":"a","id":1,"event":"open"}`), true},
		"another part":                   {id(parts, "msg_1", `{"event":"open","id":1,"to":"b","n":1}`), false},
		"parts that run together":        {id(parts, "msg_1", `{"event":"open","id":"1a","to":"","n":1}`), false},
		"another name":                   {id(parts, "msg_1", `{"event":"click","id":1,"to":"a","n":1}`), false},
		"a part that is not there":       {id(parts, "msg_1", `{"event":"open","id":1,"n":1}`), false},
		"a part that is an object":       {id(parts, "msg_1", `{"event":"open","id":1,"to":{},"n":1}`), false},
		"no rule":                        {id(nil, "msg_1", `{"event":"open","id":1,"to":"a","n":1}`), false},
		"no part, and another message":   {id(parts, "msg_2", `{"event":"open","id":1,"n":1}`), false},
		"large numbers that are similar": {id(parts, "", `{"event":"open","id":9007199254740992,"to":"a"}`), false},
	} {
		if (c.id == first) != c.same {
			t.Errorf("%s: the same event: %v", what, c.id == first)
		}
	}
	for _, pair := range [][2]string{
		{`{"id":9007199254740992,"to":"a"}`, `{"id":9007199254740993,"to":"a"}`},
		{`{"id":18446744073709551617,"to":"a"}`, `{"id":18446744073709551618,"to":"a"}`},
		{`{"id":1}`, `{"id":1,"n":1}`},
	} {
		if id(parts, "m", pair[0]) == id(parts, "m", pair[1]) {
			t.Errorf("%s and %s are one event", pair[0], pair[1])
		}
	}
	if id(nil, "msg_1", `{"event":"open"}`) == id(nil, "msg_2", `{"event":"open"}`) {
		t.Error("two messages are one event")
	}
	if id(nil, "msg_1", `{"event":"open","n":1}`) != id(nil, "msg_1", `{"n":1.0, "event":"open"}`) {
		t.Error("a retry in other bytes is another event")
	}
}

// TestOddValues has values that rules do not expect: what is not there yields nothing, and what is wrong becomes a dead letter that says
// which rule it is, and nothing of the value.
func TestOddValues(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		field, rule, item string
		want, say         string
	}{
		"a text":                      {"reason", "item.a", `{"a":"x"}`, "x", ""},
		"a number":                    {"reason", "item.a", `{"a":1.50}`, "1.5", ""},
		"a truth":                     {"reason", "item.a", `{"a":true}`, "true", ""},
		"nothing":                     {"reason", "item.a", `{}`, "", ""},
		"null":                        {"reason", "item.a", `{"a":null}`, "", ""},
		"nothing within nothing":      {"reason", "item.a.b.c", `{}`, "", ""},
		"nothing within a text":       {"reason", "item.a.b", `{"a":"x"}`, "", ""},
		"nothing within a number":     {"reason", "item.a.b", `{"a":1}`, "", ""},
		"nothing within a list":       {"reason", "item.a.b", `{"a":[]}`, "", ""},
		"no such place":               {"reason", "item.a[3]", `{"a":["x"]}`, "", ""},
		"no header":                   {"reason", `headers["x-none"]`, `{}`, "", ""},
		"has":                         {"reason", `has(item.a) ? "yes" : "no"`, `{"a":null}`, "no", ""},
		"NUL":                         {"reason", "item.a", `{"a":"x\u0000y"}`, "x\ufffdy", ""},
		"half a character":            {"reason", "item.a", `{"a":"x\ud83e"}`, "x\ufffd", ""},
		"an object":                   {"reason", "item.a", `{"a":{"secret":1}}`, "", "fields.reason: must yield a text or a number"},
		"a conversion that fails":     {"reason", "string(int(item.a))", `{"a":"secret"}`, "", "fields.reason: it converts a value"},
		"a division":                  {"reason", "1 / item.a", `{"a":0}`, "", "fields.reason: it divides by zero"},
		"a type that is none":         {"bounce.type", "item.a", `{"a":"secret"}`, "", "fields.bounce.type: must yield hard, soft or undetermined"},
		"a reason that is none":       {"reject.reason", "item.a", `{"a":"secret"}`, "", "fields.reject.reason: must yield one of"},
		"a member twice":              {"reason", "item.a.b", `{"a":{"b":1,"b":2}}`, "", "fields.reason: a member that it reads occurs twice"},
		"a loop over much":            {"reason", "string(item.a.map(x, item.a.map(y, x + y)).size())", `{"a":[` + strings.Repeat("1,", 2000) + `1]}`, "", "fields.reason: it costs more"},
		"a text that grows":           {"reason", `item.a.replace("x", item.a).replace("x", item.a)`, `{"a":"` + strings.Repeat("x", 3000) + `"}`, "", "fields.reason: it cannot be evaluated"},
		"a date that is none, a time": {"details.x", `"x"`, `{"at":"secret"}`, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := compile(t, mapping.Rules{Type: `"x"`, Time: "timestamp(item.at)", Fields: map[string]string{c.field: c.rule}})
			b := decode(m, c.item)
			if c.say != "" {
				if len(b.Events) != 0 || len(b.Undecodable) != 1 || !strings.Contains(b.Undecodable[0].Reason, c.say) || strings.Contains(b.Undecodable[0].Reason, "secret") {
					t.Errorf("%+v, want %q", b, c.say)
				}
				return
			}
			if len(b.Events) != 1 || b.Events[0].Reason != c.want {
				t.Errorf("%+v, want %q", b, c.want)
			}
		})
	}
}

// TestMetadata has objects of what a sender attached, and what is none.
func TestMetadata(t *testing.T) {
	t.Parallel()
	m := compile(t, mapping.Rules{Type: `"x"`, Metadata: "item.custom"})
	for body, want := range map[string]map[string]string{
		`{"custom":{"a":"1","b":2,"c":true,"d":null,"e":[1,"x"]}}`: {"a": "1", "b": "2", "c": "true", "e": `[1,"x"]`},
		`{"custom":[]}`: nil, `{"custom":"x"}`: nil, `{}`: nil,
	} {
		if b := decode(m, body); len(b.Events) != 1 || !cmp.Equal(b.Events[0].Metadata, want) {
			t.Errorf("%s: %+v", body, b)
		}
	}
	for _, body := range []string{`{"custom":{"a":1,"a":2}}`, `{"custom":{"a":{"b":1,"b":2}}}`} {
		if b := decode(m, body); len(b.Undecodable) != 1 || !strings.Contains(b.Undecodable[0].Reason, "metadata: a member that it reads occurs twice") {
			t.Errorf("%s: %+v", body, b)
		}
	}
	var many strings.Builder
	for i := range 300 {
		fmt.Fprintf(&many, `"n%03d":1,`, i)
	}
	if b := decode(m, `{"custom":{`+many.String()+`"z":1}}`); len(b.Events[0].Metadata) != 256 || b.Events[0].Metadata["n000"] != "1" || !b.Events[0].Truncated {
		t.Errorf("%d values", len(b.Events[0].Metadata))
	}
}

// TestWhatFollows has fields that the rules do not name, and such that only events of one type have.
func TestWhatFollows(t *testing.T) {
	t.Parallel()
	m := compile(t, mapping.Rules{
		Type: "item.e", Types: map[string]string{"b": "email.bounced", "r": "email.rejected", "c": "email.complained", "d": "email.delivered"},
		Fields: map[string]string{"diagnostic": "item.d", "complaint.feedbackType": `"abuse"`, "recipients": "item.to", "recipient": "item.one"},
	})
	for body, want := range map[string]event.Event{
		`{"e":"b","d":"550 5.1.1 no such user"}`: {Type: event.Bounced, SMTPCode: 550, EnhancedCode: "5.1.1", Bounce: event.Bounce{Type: event.Hard, Category: event.CategoryUserUnknown}},
		`{"e":"b","d":"452 4.2.2 full"}`:         {Type: event.Bounced, SMTPCode: 452, EnhancedCode: "4.2.2", Bounce: event.Bounce{Type: event.Soft, Category: event.CategoryMailboxFull}},
		`{"e":"b"}`:                              {Type: event.Bounced, Bounce: event.Bounce{Type: event.Undetermined}},
		`{"e":"r"}`:                              {Type: event.Rejected, Reject: event.Reject{Reason: event.OtherReason}},
		`{"e":"c"}`:                              {Type: event.Complained, Complaint: event.Complaint{FeedbackType: "abuse"}},
		`{"e":"d","to":["A <a@example.com>","b@example.com"]}`:                {Type: event.Delivered, Recipients: []string{"a@example.com", "b@example.com"}},
		`{"e":"d","to":"a@example.com, b@example.com","one":"b@example.com"}`: {Type: event.Delivered, Recipient: "b@example.com", Recipients: []string{"a@example.com", "b@example.com"}},
		`{"e":"d","to":["a@example.com"]}`:                                    {Type: event.Delivered, Recipient: "a@example.com", Recipients: []string{"a@example.com"}},
	} {
		e := decode(m, body).Events[0]
		got := event.Event{Type: e.Type, SMTPCode: e.SMTPCode, EnhancedCode: e.EnhancedCode, Bounce: e.Bounce, Reject: e.Reject, Complaint: e.Complaint, Recipient: e.Recipient, Recipients: e.Recipients}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", body, diff)
		}
	}
}

// TestCompileRefuses has rules that cannot be meant.
func TestCompileRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*mapping.Rules)
		say    string
	}{
		"no type":              {func(r *mapping.Rules) { r.Type = "" }, "type: must be set"},
		"syntax":               {func(r *mapping.Rules) { r.Type = "item." }, "type: does not compile"},
		"a variable":           {func(r *mapping.Rules) { r.Time = "event.time" }, "time: does not compile"},
		"too long":             {func(r *mapping.Rules) { r.Metadata = strings.Repeat(" ", 5000) + "item" }, "metadata: must be at most 4096"},
		"a path with a call":   {func(r *mapping.Rules) { r.Items = "body.events.filter(e, true)" }, "items: must be body, or a member"},
		"a path of the item":   {func(r *mapping.Rules) { r.Items = "item.events" }, "items: must be body, or a member"},
		"a path with a hole":   {func(r *mapping.Rules) { r.Items = "body..events" }, "items: must be body, or a member"},
		"an unknown field":     {func(r *mapping.Rules) { r.Fields["recipent"] = "item.a" }, "fields.recipent: is no field"},
		"the id as a field":    {func(r *mapping.Rules) { r.Fields["id"] = "item.a" }, "fields.id: is no field"},
		"a detail of no name":  {func(r *mapping.Rules) { r.Fields["details."] = "item.a" }, "fields.details.: is no field"},
		"a bounce type":        {func(r *mapping.Rules) { r.Fields["bounce.type"] = `"harsh"` }, "fields.bounce.type: must yield hard"},
		"an unknown type":      {func(r *mapping.Rules) { r.Types["x"] = "email.bounce" }, "types.x: must be a type of event"},
		"an id":                {func(r *mapping.Rules) { r.ID = []string{"item.id", "item.("} }, "id[1]: does not compile"},
		"all headers":          {func(r *mapping.Rules) { r.Metadata = "headers" }, "metadata: must name the header"},
		"any header":           {func(r *mapping.Rules) { r.Type = "headers[item.name]" }, "type: must name the header"},
		"each header":          {func(r *mapping.Rules) { r.Type = `headers.exists(h, h == "x") ? "a" : "b"` }, "type: must name the header"},
		"a header in capitals": {func(r *mapping.Rules) { r.Type = `headers["X-Kind"]` }, `type: headers are named in lower case, such as headers["x-kind"]`},
	} {
		r := rules()
		c.change(&r)
		if _, err := mapping.Compile(&r); err == nil || !strings.Contains(err.Error(), c.say) {
			t.Errorf("%s: %v, want %q", name, err, c.say)
		}
	}
	r := rules()
	r.Fields["x"], r.Type = "item.(", "item."
	if _, err := mapping.Compile(&r); err == nil || strings.Count(err.Error(), "\n") < 2 {
		t.Errorf("several mistakes are said at once: %v", err)
	}
}

// TestFanOut has one body whose events would each repeat what stands around them.
func TestFanOut(t *testing.T) {
	t.Parallel()
	m := compile(t, mapping.Rules{Items: "body.events", Type: "item.e"})
	body := `{"around":"` + strings.Repeat("x", 100_000) + `","events":[` + strings.Repeat("{},", 5000) + `{}]}`
	if b := decode(m, body); len(b.Events) != 0 || len(b.Undecodable) != 1 || !strings.Contains(b.Undecodable[0].Reason, "times as large") {
		t.Errorf("%d events, %d undecodable", len(b.Events), len(b.Undecodable))
	}
}

func FuzzMapping(f *testing.F) {
	for _, body := range []string{`{"batch":{"events":[{"event":"open","id":1},{"id":1}]}}`, `[]`, "{}\n{}", `{"batch":{"events":{"custom":{"a":1}}}}`} {
		f.Add([]byte(body))
	}
	m := compile(f, rules())
	f.Fuzz(func(t *testing.T, body []byte) {
		b := decode(m, string(body))
		if diff := cmp.Diff(b, decode(m, string(body))); diff != "" {
			t.Errorf("decoding is not deterministic:\n%s", diff)
		}
		ids := map[string]bool{}
		for _, e := range b.Events {
			if ids[e.ID] || !e.Raw.IsValid() {
				t.Errorf("id %s, raw %s", e.ID, e.Raw)
			}
			ids[e.ID] = true
			again := decode(m, string(wire.Unwrap(e.Raw)))
			if len(again.Events) != 1 || again.Events[0].Type != e.Type {
				t.Errorf("decoded again from %s: %+v", e.Raw, again)
			}
		}
		for _, u := range b.Undecodable {
			if u.Reason == "" {
				t.Error("undecodable for no reason")
			}
		}
	})
}

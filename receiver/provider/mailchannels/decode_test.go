package mailchannels_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/mailchannels"
)

func received() time.Time { return time.Unix(1738868393, 0).UTC() }

func decode(t testing.TB, body string) provider.Batch {
	t.Helper()
	w, err := mailchannels.Kind().New([]byte(`{"customerHandles": ["abc123", "sub456"]}`), provider.Environment{})
	if err != nil {
		t.Fatal(err)
	}
	return w.Decode(&provider.Request{Body: []byte(body), ReceivedAt: received()})
}

func item(members string) string {
	return `{"customer_handle": "abc123", "timestamp": 1738868390, ` + members + `}`
}

func array(items ...string) string { return "[" + strings.Join(items, ",\n") + "]" }

func decodeOne(t testing.TB, members string) event.Event {
	t.Helper()
	b := decode(t, array(item(members)))
	if len(b.Events) != 1 || len(b.Undecodable) != 0 || b.Refused != 0 {
		t.Fatalf("got %+v, want one event", b)
	}
	return b.Events[0]
}

func TestEveryEvent(t *testing.T) {
	t.Parallel()
	hard, soft := event.Bounce{Type: event.Hard}, event.Bounce{Type: event.Soft}
	want := map[string]event.Event{
		"processed": {Type: event.Accepted}, "delivered": {Type: event.Delivered},
		"dropped":      {Type: event.Rejected, Reject: event.Reject{Reason: event.OtherReason}},
		"hard-bounced": {Type: event.Bounced, Bounce: hard}, "bounced": {Type: event.Bounced, Bounce: hard},
		"soft-bounced": {Type: event.Bounced, Bounce: soft},
		"open":         {Type: event.Opened}, "click": {Type: event.Clicked},
		"unsubscribed": {Type: event.Unsubscribed}, "complained": {Type: event.Complained},
		"test": {Type: event.Test}, "open*": {Type: event.Unknown}, "teleported": {Type: event.Unknown},
	}
	for name, w := range want {
		e := decodeOne(t, `"event": "`+name+`"`)
		got := event.Event{Type: e.Type, Bounce: e.Bounce, Reject: e.Reject}
		if diff := cmp.Diff(w, got); diff != "" || e.ProviderEvent != name {
			t.Errorf("%s (%s): -want +got:\n%s", name, e.ProviderEvent, diff)
		}
	}
}

func TestOddities(t *testing.T) {
	t.Parallel()
	check := func(name, members string, want func(event.Event) (got, want any)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, wanted := want(decodeOne(t, members))
			if diff := cmp.Diff(wanted, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	check("email is the sender, not the recipient", `"event": "delivered", "email": "s@example.com"`,
		func(e event.Event) (any, any) { return []string{e.Sender, e.Recipient}, []string{"s@example.com", ""} })
	check("status is a text and may be a success of a hard bounce", `"event": "hard-bounced", "status": "250"`,
		func(e event.Event) (any, any) {
			return []any{e.SMTPCode, e.Bounce}, []any{250, event.Bounce{Type: event.Hard}}
		})
	check("status as a number", `"event": "dropped", "status": 550`,
		func(e event.Event) (any, any) { return e.SMTPCode, 550 })
	check("status that is no code", `"event": "dropped", "status": "99"`,
		func(e event.Event) (any, any) { return e.SMTPCode, 0 })
	check("several recipients: not attributed", `"event": "open", "recipients": ["a@example.com", "b@example.com"]`,
		func(e event.Event) (any, any) {
			return []any{e.Recipient, e.Recipients}, []any{"", []string{"a@example.com", "b@example.com"}}
		})
	check("blank request_id: the message id is the key", `"event": "hard-bounced", "request_id": "", "smtp_id": "<m@example.com>"`,
		func(e event.Event) (any, any) {
			return []string{e.PartitionKey, e.MessageID}, []string{"m@example.com", "m@example.com"}
		})
	check("request_id is the key", `"event": "open", "request_id": "r=", "smtp_id": "<m@example.com>"`,
		func(e event.Event) (any, any) { return e.Key(), "r=" })
	check("optional fields of odd kinds", `"event": "click", "recipients": {"a": 1}, "url": [], "ip": null, "status": {}, "campaign_id": 7`,
		func(e event.Event) (any, any) { return []any{e.Type, e.Tags}, []any{event.Clicked, []string{"7"}} })
	check("an event in another spelling", `"event": "HARD_BOUNCED", "recipients": ["<a@EXAMPLE.com>"]`,
		func(e event.Event) (any, any) {
			return []any{e.Bounce.Type, e.Recipient}, []any{event.Hard, "a@example.com"}
		})
	check("unknown fields", `"event": "click", "new": {"deep": [1, {"a": 2}]}`,
		func(e event.Event) (any, any) { return e.Type, event.Clicked })
}

func TestTimestamps(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		raw         string
		want        time.Time
		implausible bool
	}{
		"a number":          {raw: "1625097600", want: time.Unix(1625097600, 0)},
		"a text":            {raw: `"1625097600"`, want: time.Unix(1625097600, 0)},
		"nine digits":       {raw: "162509800", want: time.Unix(162509800, 0), implausible: true},
		"with a fraction":   {raw: "1625097600.75", want: time.Unix(1625097600, 750_000_000)},
		"milliseconds":      {raw: "1625097600000", want: received(), implausible: true},
		"beyond year 9999":  {raw: "1000000000000000", want: received(), implausible: true},
		"beyond an integer": {raw: "1e400", want: received(), implausible: true},
		"a word":            {raw: `"now"`, want: received(), implausible: true},
		"an object":         {raw: "{}", want: received(), implausible: true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := decode(t, `{"customer_handle": "abc123", "event": "open", "timestamp": `+c.raw+`}`)
			if len(b.Events) != 1 {
				t.Fatalf("got %+v", b)
			}
			if e := b.Events[0]; !e.Time.Equal(c.want) || e.TimeImplausible != c.implausible {
				t.Errorf("got %v, implausible %v", e.Time, e.TimeImplausible)
			}
		})
	}
}

func TestBatches(t *testing.T) {
	t.Parallel()
	open := item(`"event": "open", "request_id": "r-1"`)
	click := item(`"event": "click", "request_id": "r-1"`)
	type undecodable struct{ Raw, Reason string }
	cases := map[string]struct {
		body        string
		events      []event.Type
		undecodable []undecodable
		refused     int
	}{
		"an empty array":         {body: "[]"},
		"a single object":        {body: open, events: []event.Type{event.Opened}},
		"white space around":     {body: "\r\n [" + open + "]\n", events: []event.Type{event.Opened}},
		"a number among items":   {body: array(open, "5", click), events: []event.Type{event.Opened, event.Clicked}, undecodable: []undecodable{{"5", "expected a JSON object"}}},
		"an array among items":   {body: array("[1]", click), events: []event.Type{event.Clicked}, undecodable: []undecodable{{"[1]", "expected a JSON object"}}},
		"an item without event":  {body: array(item(`"x": 1`), click), events: []event.Type{event.Clicked}, undecodable: []undecodable{{item(`"x": 1`), "the member event is missing"}}},
		"somebody else's item":   {body: array(open, `{"customer_handle": "evil", "event": "open", "timestamp": 1}`, click), events: []event.Type{event.Opened, event.Clicked}, refused: 1},
		"an item without handle": {body: array(`{"event": "open"}`), refused: 1},
		"a sub-account's item":   {body: array(`{"event": "open", "customer_handle": "sub456"}`), events: []event.Type{event.Opened}},
		"duplicate names in an item": {
			body: array(open, item(`"event": "open", "event": "click"`), click), events: []event.Type{event.Opened, event.Clicked},
			undecodable: []undecodable{{item(`"event": "open", "event": "click"`), `the member "event" occurs twice, with different values`}},
		},
		"duplicate names where nobody looks": {
			body: array(open, item(`"event": "click", "a": 1, "a": 2`)), events: []event.Type{event.Opened, event.Clicked},
		},
		"invalid UTF-8 in an item": {
			body: array(open, item("\"event\": \"click\", \"reason\": \"\xff\""), click), events: []event.Type{event.Opened, event.Clicked, event.Clicked},
		},
		"a syntax error after an item": {
			body: "[" + open + ", {oops}]", events: []event.Type{event.Opened},
			undecodable: []undecodable{{"[" + open + ", {oops}]", fmt.Sprintf("invalid JSON: syntax error at byte %d (expecting '\"')", len(open)+4)}},
		},
		"cut off after an item": {
			body: "[" + open + `, {"event"`, events: []event.Type{event.Opened},
			undecodable: []undecodable{{"[" + open + `, {"event"`, fmt.Sprintf("invalid JSON: ends early, at byte %d", len(open)+11)}},
		},
		"more after the array": {
			body: "[" + open + "] 5", events: []event.Type{event.Opened},
			undecodable: []undecodable{{"[" + open + "] 5", fmt.Sprintf("invalid JSON: more data after the array, at byte %d", len(open)+3)}},
		},
		"not an array":      {body: `"x"`, undecodable: []undecodable{{`"x"`, "expected a JSON object or array"}}},
		"nothing":           {body: "", undecodable: []undecodable{{"", "expected a JSON object or array"}}},
		"nested too deeply": {body: strings.Repeat("[", 20000), undecodable: []undecodable{{strings.Repeat("[", 20000), "nested more than 10000 levels deep"}}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := decode(t, c.body)
			var types []event.Type
			for _, e := range b.Events {
				types = append(types, e.Type)
			}
			var bad []undecodable
			for _, u := range b.Undecodable {
				bad = append(bad, undecodable{string(u.Raw), u.Reason})
			}
			if diff := cmp.Diff(c.events, types); diff != "" {
				t.Errorf("events, -want +got:\n%s", diff)
			}
			if diff := cmp.Diff(c.undecodable, bad); diff != "" {
				t.Errorf("undecodable, -want +got:\n%s", diff)
			}
			if b.Refused != c.refused {
				t.Errorf("refused %d, want %d", b.Refused, c.refused)
			}
		})
	}
}

func TestHardBounceFansOut(t *testing.T) {
	t.Parallel()
	b := decode(t, array(item(`"event": "hard-bounced", "recipients": ["a@example.com", "b@example.com", "a@example.com"]`)))
	var recipients []string
	seen := map[string]bool{}
	for _, e := range b.Events {
		recipients = append(recipients, e.Recipient)
		seen[e.ID] = true
	}
	for _, e := range b.Events[:2] { // the third is told apart by its place alone
		again := decode(t, array(string(e.Raw))).Events
		if diff := cmp.Diff([]event.Event{e}, again); diff != "" {
			t.Errorf("raw, decoded alone: -want +got:\n%s", diff)
		}
	}
	if diff := cmp.Diff([]string{"a@example.com", "b@example.com", "a@example.com"}, recipients); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if len(seen) != 3 {
		t.Errorf("%d different ids, want 3", len(seen))
	}
}

func TestTooMuchStaysBounded(t *testing.T) {
	t.Parallel()
	list := strings.TrimSuffix(strings.Repeat(`"recipient@example.com",`, 20000), ",")
	b := decode(t, array(item(`"event": "hard-bounced", "recipients": [`+list+`]`)))
	raw := 0
	for _, e := range b.Events {
		raw += len(e.Raw)
	}
	if len(b.Events) != 20000 || raw > 8*len(list) {
		t.Errorf("20000 recipients are %d events with %d bytes of raw, from %d", len(b.Events), raw, len(list))
	}
	b = decode(t, array(item(`"event": "hard-bounced", "recipients": [`+list+`,`+list+`,`+list+`]`)))
	if len(b.Events) != 0 || b.Undecodable[0].Reason != "more than 50000 recipients in one request" {
		t.Errorf("60000 recipients are %d events", len(b.Events))
	}
	b = decode(t, "["+strings.TrimSuffix(strings.Repeat("5,", 10001), ",")+"]")
	if len(b.Undecodable) != 10001 || b.Undecodable[10000].Reason != "more than 10000 items" {
		t.Errorf("10001 items are %d dead letters", len(b.Undecodable))
	}
}

func TestIDs(t *testing.T) {
	t.Parallel()
	ids := func(items ...string) []string {
		var list []string
		for _, e := range decode(t, array(items...)).Events {
			list = append(list, e.ID)
		}
		return list
	}
	const recipient = `"recipients": ["a@example.com"], `
	open := item(recipient + `"event": "open", "request_id": "r-1", "smtp_id": "s-1"`)
	other := item(recipient + `"event": "click", "request_id": "r-1", "smtp_id": "s-1"`)

	alone := ids(open)[0]
	twins := ids(open, other, open)
	if twins[0] != alone || twins[2] == alone {
		t.Errorf("twins of one second: %v, alone %s", twins, alone)
	}
	moved := ids(other, open, open)
	if moved[1] != twins[0] || moved[2] != twins[2] {
		t.Error("the ordinal of a twin depends on where other items stand")
	}
	if ids(item(`"event": "open", "recipients": ["a@example.com", "b@example.com"]`))[0] != ids(item(`"event": "open", "recipients": ["b@example.com", "a@example.com"]`))[0] {
		t.Error("the order of the recipients changes the id")
	}
	reordered := `{"recipients": ["a@example.com"], "request_id": "r-1", "smtp_id": "s-1", "event": "open", "timestamp": 1738868390.0, "customer_handle": "abc123"}`
	if ids(reordered)[0] != alone {
		t.Error("the order of the members changes the id")
	}
	same := `"request_id": "r-1", "smtp_id": "s-1", `
	for _, member := range []string{
		`"request_id": "r-2", "smtp_id": "s-1"`, `"request_id": "r-1", "smtp_id": "s-2"`, same + `"campaign_id": "x"`, same + `"url": "x"`,
		same + `"ip": "x"`, same + `"user_agent": "x"`, same + `"status": "250"`, same + `"reason": "x"`, same + `"email": "x"`, same + `"new": "x"`,
	} {
		if ids(item(recipient + `"event": "click", ` + member))[0] == ids(other)[0] {
			t.Errorf("an item with %s has the same id", member)
		}
	}
}

// TestTwinsInTwoArrays sends items that are exactly alike but happened to two of the recipients that they list, each in an array with
// others.
func TestTwinsInTwoArrays(t *testing.T) {
	t.Parallel()
	for name, twin := range map[string]string{
		"several recipients":     `"event": "open", "smtp_id": "s-1", "recipients": ["a@example.com", "b@example.com"]`,
		"no recipients":          `"event": "delivered", "smtp_id": "s-1"`,
		"a bounce of nobody":     `"event": "hard-bounced", "smtp_id": "s-1"`,
		"recipients of odd kind": `"event": "delivered", "recipients": {"a": 1}`,
	} {
		first := decode(t, array(item(twin), item(`"event": "click", "url": "x"`))).Events[0].ID
		second := decode(t, array(item(twin), item(`"event": "click", "url": "y"`))).Events[0].ID
		if first == second {
			t.Errorf("%s: two events of two arrays share an id", name)
		}
		if again := decode(t, array(item(twin), item(`"event": "click", "url": "x"`))).Events[0].ID; again != first {
			t.Errorf("%s: the array that came again has another id", name)
		}
	}
}

// TestItemsOfAnonymousCopies sends items that do not say of which copy of a message they are, as those of the documentation do, in
// two arrays. An array that comes again has the ids that it had.
func TestItemsOfAnonymousCopies(t *testing.T) {
	t.Parallel()
	anonymous := item(`"event": "delivered", "request_id": "r-1"`)
	first, second := decode(t, array(anonymous, anonymous)).Events, decode(t, array(anonymous)).Events
	seen := map[string]bool{}
	for _, e := range slices.Concat(first, second) {
		seen[e.ID] = true
	}
	if len(seen) != 3 {
		t.Errorf("three events have %d ids", len(seen))
	}
	if again := decode(t, array(anonymous, anonymous)).Events; again[0].ID != first[0].ID || again[1].ID != first[1].ID {
		t.Error("the array that came again has other ids")
	}
	bounce := item(`"event": "hard-bounced", "recipients": ["a@example.com", "b@example.com"]`)
	if decode(t, array(bounce)).Events[1].ID != decode(t, array(bounce, anonymous)).Events[1].ID {
		t.Error("the bounce of a recipient depends on the array that it comes in")
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	good := pinned(t, "mckey", testKey(0))
	for what, settings := range map[string]string{
		"nothing":              ``,
		"no handle":            `{"customerHandles": []}`,
		"an empty handle":      `{"customerHandles": ["a", ""]}`,
		"a negative tolerance": `{"customerHandles": ["a"], "toleranceSeconds": -1}`,
		"a key that is none":   `{"customerHandles": ["a"], "publicKeys": [{"id": "k", "key": "AAAA"}]}`,
		"a key without id":     `{"customerHandles": ["a"], "publicKeys": [{"key": "` + publicKeyText(t, testKey(0)) + `"}]}`,
		"an id twice":          `{"customerHandles": ["a"], "publicKeys": [` + good + `, ` + good + `]}`,
		"a URL that is none":   `{"customerHandles": ["a"], "publicKeyURL": "keys"}`,
	} {
		if _, err := mailchannels.Kind().New([]byte(settings), provider.Environment{}); err == nil {
			t.Errorf("%s: accepted", what)
		}
	}
}

// TestLargeBatch decodes what is documented as the largest batch, with one bad item in it.
func TestLargeBatch(t *testing.T) {
	t.Parallel()
	body := largeBatch(1000)
	b := decode(t, strings.Replace(body, `"event":"open"`, `"event":{}`, 1))
	if len(b.Events) != 999 || len(b.Undecodable) != 1 {
		t.Errorf("%d events, %d undecodable; want 999 and 1", len(b.Events), len(b.Undecodable))
	}
	if !reflect.DeepEqual(decode(t, body), decode(t, body)) {
		t.Error("decoding is not deterministic")
	}
}

func largeBatch(n int) string {
	items := make([]string, n)
	for i := range items {
		items[i] = fmt.Sprintf(`{"email":"sender@example.com","customer_handle":"abc123","timestamp":1738868390,"event":"open","request_id":"wBLWrCnK0Z965pf-%08d=","smtp_id":"<m%d@example.com>","recipients":["recipient%d@example.com"],"campaign_id":"spring","user_agent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)","ip":"192.0.2.7"}`, i, i, i)
	}
	return array(items...)
}

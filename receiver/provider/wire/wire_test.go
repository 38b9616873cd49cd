package wire_test

import (
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

func TestStampsOfUndocumentedUnit(t *testing.T) {
	t.Parallel()
	want := time.Unix(1676615711, 0).UTC()
	for _, raw := range []string{"1676615711", "1676615711000"} {
		if got, ok := wire.SecondsOrMilliseconds(raw).Time(); !ok || !got.Equal(want) {
			t.Errorf("%s is %v, %v", raw, got, ok)
		}
	}
	if _, ok := wire.SecondsOrMilliseconds("soon").Time(); ok {
		t.Error("a word is a time")
	}
}

func TestDateTimeForms(t *testing.T) {
	t.Parallel()
	want := time.Date(2023, 12, 8, 18, 3, 44, 0, time.UTC)
	for _, raw := range []string{"2023-12-08T18:03:44Z", "2023-12-08T23:33:44+05:30", "2023-12-08T23:33:44+0530", "2023-12-08 18:03:44Z", "2023-12-08 18:03:44"} {
		var e event.Event
		wire.DateTime(raw).SetTime(&e, want)
		if !e.Time.Equal(want) || e.TimeImplausible || e.TimeRaw != raw {
			t.Errorf("%s is %v, implausible %v", raw, e.Time, e.TimeImplausible)
		}
	}
}

func TestIDsUnique(t *testing.T) {
	t.Parallel()
	var first, again wire.IDs
	seen := map[string]bool{}
	for _, id := range []string{"a", "b", "a", "a"} {
		got := first.Unique(id)
		if seen[got] || got != again.Unique(id) {
			t.Errorf("%s: %s is not unique, or not the same again", id, got)
		}
		seen[got] = true
	}
}

func TestEdit(t *testing.T) {
	t.Parallel()
	change := func(at jsontext.Pointer, token jsontext.Token) string {
		switch at {
		case "/a", "/o/a", "/l/1":
			return wire.Quote(strings.ToUpper(token.String()))
		case "/o", "/e":
			return `"new":1`
		default:
			return ""
		}
	}
	cases := map[string]struct{ body, want string }{
		"everything": {
			body: "{ \"a\" : \"x\",\n\"b\": \"a\", \"o\" : { \"a\":true }, \"l\": [\"p\", \"q\" ], \"e\":{} }\n",
			want: "{ \"a\" : \"X\",\n\"b\": \"a\", \"o\" : {\"new\":1, \"a\":\"TRUE\" }, \"l\": [\"p\", \"Q\" ], \"e\":{\"new\":1} }\n",
		},
		"nothing":              {body: `{"b": 1}`, want: `{"b": 1}`},
		"from an error on not": {body: `{"a": "x" "o": {"a": "y"}}`, want: `{"a": "X" "o": {"a": "y"}}`},
		"no JSON":              {body: `hello`, want: `hello`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := string(wire.Edit([]byte(c.body), change)); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

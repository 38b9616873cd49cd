package wire_test

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider/wire"
)

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

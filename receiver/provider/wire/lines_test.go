package wire_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/provider/wire"
)

func TestLines(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body string
		want []string // the member a of each item, or the error
	}{
		"lines":                     {"{\"a\":1}\n{\"a\":2}", []string{"1", "2"}},
		"a line end at the end":     {"{\"a\":1}\n{\"a\":2}\n", []string{"1", "2"}},
		"CRLF, blank lines, a mark": {"\ufeff{\"a\":1}\r\n\r\n  {\"a\":2} \r\n", []string{"1", "2"}},
		"one line":                  {"{\"a\":1}", []string{"1"}},
		"one object of many lines":  {"{\n\"a\":\n1}", []string{"1"}},
		"an array after all":        {"[{\"a\":1},\n{\"a\":2}]", []string{"1", "2"}},
		"a bad line":                {"{\"a\":1}\n{\"a\":\n{\"a\":3}", []string{"1", "invalid JSON: ends early, at byte 5", "3"}},
		"a line that is no object":  {"{\"a\":1}\n5\n[2]\n{\"a\":3}", []string{"1", "expected a JSON object", "expected a JSON object", "3"}},
		"two objects on a line":     {"{\"a\":1}{\"a\":2}\n{\"a\":3}", []string{"invalid JSON: syntax error at byte 7", "3"}},
		"a line feed within a text": {"{\"a\":\"x\ny\"}\n{\"a\":2}", []string{"invalid JSON: ends early, at byte 7", "expected a JSON object", "2"}},
		"an escaped one":            {"{\"a\":\"x\\ny\"}\n{\"a\":2}", []string{"x\ny", "2"}},
		"nothing":                   {"", []string{"expected a JSON object or array"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for item, err := range wire.Lines([]byte(c.body)) {
				if err != nil {
					got = append(got, err.Error())
					continue
				}
				got = append(got, item.Text("a"))
			}
			for i := range got {
				got[i], _, _ = strings.Cut(got[i], " (expecting")
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	// It stops when nobody wants more.
	for item, err := range wire.Lines([]byte("{\"a\":1}\n{\"a\":2}\n5")) {
		if err != nil || item.Text("a") != "1" {
			t.Errorf("%v", err)
		}
		break
	}
}

func FuzzLines(f *testing.F) {
	f.Add([]byte("{\"a\":1}\n{\"a\":\n\n[2]"))
	f.Fuzz(func(t *testing.T, body []byte) {
		for item, err := range wire.Lines(body) {
			if err == nil && (len(item.Sent) == 0 || !item.Raw.IsValid()) {
				t.Errorf("an item of %d bytes, raw %q", len(item.Sent), item.Raw)
			}
		}
	})
}

package wire_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// TestOddBodiesAreRead has what is no JSON for every reader and yet tells what happened.
func TestOddBodiesAreRead(t *testing.T) {
	t.Parallel()
	deep := func(n int) string {
		return `{"a":"x","b":` + strings.Repeat("[", n-1) + strings.Repeat("]", n-1) + `}`
	}
	quoted := func(text string) string { return `{"mediaType":"application/json","text":` + wire.Quote(text) + `}` }
	encoded := func(text string) string {
		return `{"mediaType":"application/json","base64":"` + base64.StdEncoding.EncodeToString([]byte(text)) + `"}`
	}
	cases := map[string]struct{ reason, body, a, raw string }{
		"a byte order mark":               {"RFC 8259 section 8.1", "\ufeff" + `{"a":"x"}`, "x", `{"a":"x"}`},
		"and white space around it":       {"proxies and editors", " \n\ufeff\r\n" + `{"a":"x"}`, "x", `{"a":"x"}`},
		"another character set":           {"GBK", "{\"a\":\"\xd3\xca\xcf\xe4\"}", "\ufffd\ufffd\ufffd\ufffd", encoded("{\"a\":\"\xd3\xca\xcf\xe4\"}")},
		"a lone byte beside what we read": {"Latin-1", "{\"a\":\"x\",\"b\":[\"\x80\"]}", "x", encoded("{\"a\":\"x\",\"b\":[\"\x80\"]}")},
		"an overlong form":                {"RFC 3629 section 3", "{\"a\":\"\xc0\xaf\\n\"}", "\ufffd\ufffd\n", encoded("{\"a\":\"\xc0\xaf\\n\"}")},
		"a name of another set":           {"GBK", "{\"a\":\"x\",\"\xd3\xca\":1}", "x", encoded("{\"a\":\"x\",\"\xd3\xca\":1}")},
		"half a character":                {"EmailEngine cuts texts", `{"a":"x\ud83e"}`, "x\ufffd", `{"a":"x\ufffd"}`},
		"NUL":                             {"databases that hold text cannot hold it", `{"a":"x\u0000y"}`, "x\ufffdy", `{"a":"x\u0000y"}`},
		"a name twice, which we read":     {"with one value", `{"a":"x","a":"x"}`, "x", quoted(`{"a":"x","a":"x"}`)},
		"a name twice, elsewhere":         {"mail has many Received", `{"a":"x","b":{"c":1,"c":2}}`, "x", quoted(`{"a":"x","b":{"c":1,"c":2}}`)},
		"a name twice, within a list":     {"we do not look there", `{"a":"x","b":[{"c":1,"c":2}]}`, "x", quoted(`{"a":"x","b":[{"c":1,"c":2}]}`)},
		"a name twice, one escaped":       {"it is the same name", `{"a":"x","c":1,"\u0063":2}`, "x", quoted(`{"a":"x","c":1,"\u0063":2}`)},
		"deep":                            {"most readers take it", deep(60), "x", deep(60)},
		"deeper":                          {"many do not", deep(61), "x", quoted(deep(61))},
		"very deep":                       {"nobody does", deep(9_999), "x", quoted(deep(9_999))},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, body := range []string{c.body, "[" + strings.TrimPrefix(strings.TrimSpace(c.body), "\ufeff") + `,{}]`} {
				for item, err := range wire.Items([]byte(body)) {
					if err != nil || item.Text("a") != c.a || string(item.Raw) != c.raw || item.Doubt() != nil {
						t.Errorf("%s: %q, %v, %.200s", c.reason, item.Text("a"), err, item.Raw)
					}
					break // its neighbour
				}
			}
			if sent := string(wire.Unwrap([]byte(c.raw))); !strings.HasSuffix(c.body, sent) && name != "half a character" {
				t.Errorf("what is kept of it is %.200s", sent)
			}
		})
	}
}

func TestTwoValuesOfOneMember(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"at the top":       `{"a":"x","a":"y"}`,
		"one is escaped":   `{"a":"x","\u0061":"y"}`,
		"null":             `{"a":null,"a":"x"}`,
		"three":            `{"a":"x","a":"x","a":"y"}`,
		"an object":        `{"o":{"a":"x"},"o":{"a":"y"}}`,
		"within an object": `{"o":{"a":"x","a":"y"}}`,
		"within a list":    `{"l":[{"a":"x","a":"y"}]}`,
		"an address":       `{"m":[{"address":"a@example.com","address":"b@example.com"}]}`,
	} {
		err := wire.Single([]byte(body), func(it wire.Item) error {
			_, _, _ = it.Text("a"), it.Object.Object("o").Text("a"), it.Addresses("m")
			for _, o := range it.Objects("l") {
				_ = o.Text("a")
			}
			return nil
		})
		if err == nil || !strings.Contains(err.Error(), "twice") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatABodyIsThatIsNone(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		"\xff\xfe{\x00}\x00": "UTF-16", "\xfe\xff\x00{\x00}": "UTF-16", "{\x00}\x00": "UTF-16", "\x00{\x00}": "UTF-16",
		"hello": "expected a JSON object", strings.Repeat("[", 10_001): "nested more than 10000 levels deep",
		`{"a":` + strings.Repeat("[", 10_000): "",
	} {
		for _, err := range wire.Items([]byte(body)) {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%.20q: %v, want %q", body, err, want)
			}
		}
	}
}

// TestUnwrapLeavesOthersAlone has bodies that are not what an event keeps of an odd one.
func TestUnwrapLeavesOthersAlone(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{
		`{"a":1}`, `{"mediaType":"text/plain","text":"x"}`, `{"mediaType":"application/json","text":"{}","a":1}`, `[]`,
		`{"mediaType":"application/json","base64":"?"}`, `{"mediaType":"application/json","text":5}`, `{"mediaType":"application/json","a":5}`,
	} {
		if got := string(wire.Unwrap([]byte(raw))); got != raw {
			t.Errorf("%s becomes %s", raw, got)
		}
	}
}

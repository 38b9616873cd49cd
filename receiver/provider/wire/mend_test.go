package wire_test

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/provider/wire"
)

func TestHalvesOfCharactersAreReplaced(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"a":"cut \ud83e","b":1}`:           "cut \ufffd",
		`{"a":"\uD83E"}`:                     "\ufffd",
		`{"a":"\udd14 first"}`:               "\ufffd first",
		`{"a":"\ud83e\ud83e\udd14"}`:         "\ufffd\U0001F914",
		`{"a":"\ud83e\n\\\ud83e\u0041\ud8"}`: "",
		`{"a":"\\ud83e"}`:                    `\ud83e`,
		`{"a":"\ud83e\udd14"}`:               "\U0001F914",
	} {
		before := strings.Clone(body)
		got := ""
		err := wire.Single([]byte(body), func(item wire.Item) error {
			got = item.Text("a")
			if _, err := jsontext.AppendFormat(nil, item.Raw); err != nil {
				t.Errorf("%s: the JSON that is kept: %v", body, err)
			}
			return nil
		})
		if got != want || (err == nil) != (want != "") || body != before {
			t.Errorf("%s: %q, %v, want %q", body, got, err, want)
		}
	}
	count := 0
	for item, err := range wire.Items([]byte(`[{"a":"\ud83e"},{"a":"\udd14"}]`)) {
		if count++; err != nil || item.Text("a") != "\ufffd" {
			t.Errorf("item %d: %q, %v", count, item.Text("a"), err)
		}
	}
}

// TestHalvesWithinNestedJSON has JSON that is kept as a text: it is the same when it is read from what an event keeps of its item, in which
// halves are replaced, and every reader takes it.
func TestHalvesWithinNestedJSON(t *testing.T) {
	t.Parallel()
	read := func(body []byte) (texts []string) {
		err := wire.Single(body, func(item wire.Item) error {
			for name, text := range item.Members() {
				texts = append(texts, name, text)
				for place, text := range item.Entries(name) {
					texts = append(texts, place, text)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return texts
	}
	for body, want := range map[string][]string{
		`{"o": {"a": {"b": "cut \ud83e"}}}`:    {"o", `{"a": {"b": "cut \ufffd"}}`, "a", `{"b": "cut \ufffd"}`},
		`{"o": [["\uDD14", 1]]}`:               {"o", `[["\ufffd", 1]]`, "0", `["\ufffd", 1]`},
		`{"o": [["\\ud83e", "\ud83e\udd14"]]}`: {"o", `[["\\ud83e", "\ud83e\udd14"]]`, "0", `["\\ud83e", "\ud83e\udd14"]`},
		"{\"o\": [[\"\xd3\xca\"]]}":            {"o", "[[\"\ufffd\"]]", "0", "[\"\ufffd\"]"},
	} {
		first := []byte(body)
		got := read(first)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q:\n%s", body, diff)
		}
		for _, text := range got {
			if !utf8.ValidString(text) {
				t.Errorf("%q: %q is not UTF-8", body, text)
			}
		}
		var raw []byte
		_ = wire.Single(first, func(item wire.Item) error { raw = bytes.Clone(item.Raw); return nil })
		if diff := cmp.Diff(got, read(wire.Unwrap(raw))); diff != "" {
			t.Errorf("%q, read again:\n%s", body, diff)
		}
	}
}

// FuzzMend holds what is mended against a decoder that replaces halves of characters by itself.
func FuzzMend(f *testing.F) {
	for _, seed := range seeds(f) {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		before := bytes.Clone(body)
		mended := wire.Mend(body)
		if !bytes.Equal(body, before) {
			t.Fatal("the body was changed")
		}
		lenient := jsontext.AllowInvalidUTF8(true)
		want, wantErr := jsontext.AppendFormat(nil, before, lenient, jsontext.AllowDuplicateNames(true), jsontext.CanonicalizeRawInts(false))
		got, err := jsontext.AppendFormat(nil, mended, lenient, jsontext.AllowDuplicateNames(true), jsontext.CanonicalizeRawInts(false))
		if (err == nil) != (wantErr == nil) || err == nil && !bytes.Equal(got, want) {
			t.Errorf("%.200q, %v, want %.200q, %v", got, err, want, wantErr)
		}
	})
}

// TestOddityThatIsLeftOut has an item that is odd in nothing but what an event does not keep: what it keeps is the item without it, as it is
// when that is read again, and not wrapped.
func TestOddityThatIsLeftOut(t *testing.T) {
	t.Parallel()
	for what, value := range map[string]string{
		"not UTF-8": "\"\xd3\"", "half a character": `"\ud83e"`, "a name twice": `{"a": 1, "a": 2}`, "deep": strings.Repeat("[", 90) + strings.Repeat("]", 90),
	} {
		body := []byte(`{"key": ` + value + `, "list": [1, 2], "kept": "x"}`)
		err := wire.Single(body, func(item wire.Item) error {
			without := item.Rewrite(func(name, value string) string {
				if name == "key" {
					return ""
				}
				return value
			})
			if want := `{"list":[1, 2],"kept":"x"}`; string(without) != want {
				t.Errorf("%s: %s, want %s", what, without, want)
			}
			p := item.Parallel(wire.Member{Object: item.Object, Name: "key"}, wire.Member{Object: item.Object, Name: "list"})
			if p.Len() > 1 && !p.Raw(1).IsValid() {
				t.Errorf("%s: %s", what, p.Raw(1))
			}
			return nil
		})
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	err := wire.Single([]byte("{\"key\": 1, \"kept\": \"\xd3\"}"), func(item wire.Item) error {
		whole := item.Rewrite(func(_, value string) string { return value })
		if !strings.Contains(string(whole), "base64") || string(wire.Unwrap(whole)) != "{\"key\":1,\"kept\":\"\xd3\"}" {
			t.Errorf("an oddity that is kept: %s", whole)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

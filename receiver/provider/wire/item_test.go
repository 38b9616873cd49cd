package wire_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// seeds are the bodies of all samples, and JSON that is odd or none.
func seeds(t testing.TB) []string {
	t.Helper()
	all := []string{
		`[{"a": 1}, 2, {"b": 2}]`, `{"a": 1}`, ` [ ] `, `[]x`, `[] []`, `[`, `[1`, `[1,`, `[1 2]`, `[1,]`, `[,1]`, `{`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `{"a":1,}`,
		`{,}`, `{"a" 1}`, `{a: 1}`, `{"a": 1} x`, `{"a":1}{}`, `{]`, `[}`, `[{"a": 1, "a": 2}] x`, `[{"a": 1, "a": 2}, {"b": 1}, {"b": {"c": 1, "\u0063": 2}}]`,
		`{"a": [{"b": 1, "b": 2}]}`, `{"a": {"b": 1}, "c": {"b": 1}, "b": 2}`, `{"": 1, "": 2}`, "[\"\xff\"]", "{\"\xff\": 1, \"\\ufffd\": 2}", "{\"a\": \"\xc3\"}", "{\"a\": \"\xc3",
		"{\"a\": \"\xed\xa0\x80\"}", `{"a": "\ud800"}`, `{"a": "\ud800\ud800"}`, `{"a": "\udc00\ud800"}`, `{"a": "\ud83d\ude00"}`, `{"a": "\ud83d\u0061"}`, `{"a": "\ud83d\u006"}`,
		`{"a": "\ud83d\n"}`, `{"a": "\ud8`, `{"a": "\ud83d\`, `{"\ud800": 1}`, `{"a": "\u00E9\b\f\n\r\t\/\\\""}`, `{"a": "\x"}`, `{"a": "\u00g0"}`, `{"a": "\`, "{\"a\": \"\x01\"}", "{\"a\": \"\t\"}",
		"{\"a\": \"\x7f\"}", `{"a": 0}`, `{"a": -0}`, `{"a": 01}`, `{"a": -}`, `{"a": +1}`, `{"a": 1.}`, `{"a": .5}`, `{"a": 1.50e+10}`, `{"a": 1e}`, `{"a": 1E-}`, `{"a": -12.5E5}`, `{"a": 1`, `{"a": 1x}`,
		`{"a": tru}`, `{"a": true}`, `{"a": truex}`, `{"a": nul`, `{"a": False}`, `{"a": NaN}`, "\ufeff{}", "[0,]\x81", "{\"a\"\v:1}", "\v[]", `"text"`, `5`, ``, ` `, "\x00",
		`{"l": ["[\"a\"]", 5, {"a": [1, {"b": 2}]}], "o": [{"a": 1}, 2, {"a": {"b": 3}}]}`, `{"a": "[1, [2], {\"b\": 3}]", "b": "[1, 1", "c": "[\"\\ud800\"]"}`,
	}
	files, err := filepath.Glob("../../../internal/simulate/*/samples/*.http")
	if err != nil || len(files) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, body, ok := bytes.Cut(data, []byte("\r\n\r\n")); ok {
			all = append(all, string(body))
		}
	}
	return all
}

// reading is what became of an item: its JSON, and what is wrong with it.
type reading struct{ raw, reason string }

// FuzzItems holds the scanner against the decoder of jsontext: it reads the same items, says the same of what is wrong, and
// finds the same values.
func FuzzItems(f *testing.F) {
	for _, seed := range seeds(f) {
		f.Add([]byte(seed))
	}
	f.Fuzz(compare)
}

// isUTF16 reports whether a body begins as a text in UTF-16 does, which is said of it instead of where JSON ends.
func isUTF16(body []byte) bool {
	body = wire.Trim(body)
	return len(body) > 1 && (body[0] == 0 || body[1] == 0 || body[0] >= 0xfe && body[1] >= 0xfe)
}

func compare(t *testing.T, body []byte) {
	if isUTF16(body) {
		for item, err := range wire.Items(body) {
			if err == nil {
				t.Errorf("%.200q is an item of a body in UTF-16", item.Sent)
			}
		}
		return
	}
	var got []reading
	for item, err := range wire.Items(body) {
		r := reading{raw: string(item.Sent)}
		if err != nil {
			r.reason = reasonOf(err)
		} else {
			sameObject(t, item.Sent, item.Object, 0)
			keepsAll(t, item)
		}
		got = append(got, r)
	}
	if want := expectedItems(body); !slices.Equal(want, got) {
		t.Errorf("want %.200q\ngot  %.200q", want, got)
	}
	single := reading{raw: string(wire.Trim(body))}
	err := wire.Single(body, func(item wire.Item) error {
		single.raw = string(item.Sent)
		return nil
	})
	if err != nil {
		single.reason = reasonOf(err)
	}
	if want := expectedItem(string(wire.Trim(body))); single != want {
		t.Errorf("want %.200q\ngot  %.200q", want, single)
	}
}

// keepsAll tests that what an event keeps of an item is JSON for every reader, and has the item in it.
func keepsAll(t *testing.T, item wire.Item) {
	t.Helper()
	if !item.Raw.IsValid() {
		t.Errorf("an event would keep %.200q", item.Raw)
	}
	sent := wire.Unwrap(item.Raw)
	if !bytes.Equal(sent, item.Sent) && !bytes.Equal(sent, wire.Mend(item.Sent)) {
		t.Errorf("of %.200q an event would keep %.200q", item.Sent, sent)
	}
	for again, err := range wire.Items(sent) {
		if err != nil || again.Identity() != item.Identity() || !bytes.Equal(again.Raw, item.Raw) {
			t.Errorf("%.200q is another item, or has another identity: %v", sent, err)
		}
	}
}

// TestStringsOfEachLength holds them against each other on names and values with something odd at each place.
func TestStringsOfEachLength(t *testing.T) {
	t.Parallel()
	for length := range 41 {
		text := strings.Repeat("~ [}aZ09", 6)[:length]
		for at := range length + 1 {
			for _, odd := range []string{`"`, `\`, `\"`, `\\`, `\u00e9`, `\ud83d`, "\x1f", "\x7f", "é", "\xff", "\xc3"} {
				compare(t, []byte(`{"a":"`+text[:at]+odd+text[at:]+`","`+text[:at]+odd+text[at:]+`": 1}`))
			}
		}
	}
}

// TestDepth holds them against each other where the nesting comes to its bound.
func TestDepth(t *testing.T) {
	t.Parallel()
	for n := 9_997; n < 10_003; n++ {
		arrays, objects := strings.Repeat("[", n)+strings.Repeat("]", n), strings.Repeat(`{"a":`, n)+"1"+strings.Repeat("}", n)
		for _, body := range []string{
			arrays, objects, "[" + objects + "]", `[{"a":` + arrays + `}, {}]`, `{"a":` + arrays + `}`, `{"a":[` + objects + `]}`,
			strings.Repeat("[", n) + "{}", strings.Repeat(`{"a":[`, n/2),
		} {
			compare(t, []byte(body))
		}
	}
}

// expectedItems splits a body with the decoder.
func expectedItems(body []byte) []reading {
	trimmed := wire.Trim(body)
	switch trimmed.Kind() {
	case jsontext.KindBeginObject:
		return []reading{expectedItem(string(trimmed))}
	case jsontext.KindBeginArray:
	default:
		return []reading{{string(body), "expected a JSON object or array"}}
	}
	dec := jsontext.NewDecoder(bytes.NewBuffer(trimmed), lenient())
	_, err := dec.ReadToken()
	var items []reading
	for err == nil && dec.PeekKind() != jsontext.KindEndArray {
		var value jsontext.Value
		if value, err = dec.ReadValue(); err == nil {
			items = append(items, expectedItem(string(value)))
		}
	}
	if err == nil {
		_, err = dec.ReadToken()
	}
	if err != nil {
		return append(items, reading{string(body), expectedReason(err)})
	}
	end := int(dec.InputOffset())
	if rest := bytes.TrimLeft(trimmed[end:], " \t\r\n"); len(rest) > 0 {
		return append(items, reading{string(body), fmt.Sprintf("invalid JSON: more data after the array, at byte %d", len(trimmed)-len(rest))})
	}
	return items
}

// expectedItem decodes an item as a whole.
func expectedItem(raw string) reading {
	if jsontext.Value(raw).Kind() != jsontext.KindBeginObject {
		return reading{raw, "expected a JSON object"}
	}
	if err := json.Unmarshal([]byte(raw), new(jsontext.Value), lenient()); err != nil {
		return reading{raw, expectedReason(err)}
	}
	return reading{raw, ""}
}

// lenient takes what is JSON by its grammar.
func lenient() jsontext.Options {
	return json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}

func expectedReason(err error) string {
	syntax, ok := errors.AsType[*jsontext.SyntacticError](err)
	if !ok {
		return err.Error()
	}
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Sprintf("invalid JSON: ends early, at byte %d", syntax.ByteOffset)
	case strings.Contains(err.Error(), "depth"):
		return "nested more than 10000 levels deep"
	default:
		return syntaxError
	}
}

// syntaxError is how errors begin that say where the grammar is broken. Where the decoder sees that depends on whether it reads tokens or
// values.
const syntaxError = "invalid JSON: syntax error at byte "

// reasonOf cuts off where the grammar is broken, and what was expected there.
func reasonOf(err error) string {
	if strings.HasPrefix(err.Error(), syntaxError) {
		return syntaxError
	}
	return err.Error()
}

// maxCompared is to which depth objects are compared: each level is decoded anew.
const maxCompared = 5

// sameObject tests that an object has the members that the decoder finds in its JSON, and no more.
func sameObject(t *testing.T, raw jsontext.Value, o wire.Object, depth int) {
	t.Helper()
	if depth == maxCompared {
		return
	}
	dec := jsontext.NewDecoder(bytes.NewBuffer(raw), lenient())
	if _, err := dec.ReadToken(); err != nil {
		t.Fatal(err)
	}
	var names []string
	for dec.PeekKind() == jsontext.KindString {
		name, _ := dec.ReadToken()
		key := clean(name.String())
		value, err := dec.ReadValue()
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, key)
		if slices.Contains(names[:len(names)-1], key) {
			continue // the first one is what is found
		}
		if got := o.JSON(key); got != string(value) {
			t.Errorf("%q is %s, want %s", key, got, value)
		}
		sameValue(t, key, value.Clone(), o, depth)
	}
	var got []string
	for name := range o.Members() {
		got = append(got, name)
	}
	if !slices.Equal(names, got) {
		t.Errorf("members %q, want %q", got, names)
	}
}

func sameValue(t *testing.T, key string, value jsontext.Value, o wire.Object, depth int) {
	t.Helper()
	text, texts, objects := "", []string(nil), []jsontext.Value(nil)
	switch value.Kind() {
	case jsontext.KindBeginObject:
		sameObject(t, value, o.Object(key), depth+1)
		objects = append(objects, value)
	case jsontext.KindBeginArray:
		texts = expectedTexts(value)
		for _, element := range elementsOf(value) {
			if element.Kind() == jsontext.KindBeginObject {
				objects = append(objects, element)
			}
		}
	default:
		if text = expectedText(value); text != "" {
			texts = []string{text}
		}
		if encoded := jsontext.Value(text); strings.HasPrefix(text, "[") && json.Unmarshal(encoded, new(jsontext.Value), lenient()) == nil {
			texts = expectedTexts(encoded)
		}
	}
	if got := o.Text(key); got != text {
		t.Errorf("the text of %q is %q, want %q", value, got, text)
	}
	if got := o.Texts(key); !slices.Equal(got, texts) {
		t.Errorf("the texts of %q are %q, want %q", value, got, texts)
	}
	got := o.Objects(key)
	if len(got) != len(objects) {
		t.Fatalf("%d objects in %s, want %d", len(got), value, len(objects))
	}
	for i, object := range objects {
		sameObject(t, object, got[i], depth+1)
	}
}

func elementsOf(array jsontext.Value) []jsontext.Value {
	var elements []jsontext.Value
	// The array was found to be valid.
	_ = json.Unmarshal(array, &elements, lenient())
	return elements
}

func expectedTexts(array jsontext.Value) []string {
	var texts []string
	for _, element := range elementsOf(array) {
		if text := expectedText(element); text != "" {
			texts = append(texts, text)
		}
	}
	return texts
}

func expectedText(value jsontext.Value) string {
	token, err := jsontext.NewDecoder(bytes.NewBuffer(value), lenient()).ReadToken()
	if err != nil || slices.Contains([]jsontext.Kind{jsontext.KindBeginObject, jsontext.KindBeginArray, jsontext.KindNull}, token.Kind()) {
		return ""
	}
	return clean(token.String())
}

// clean replaces what a field of an event never holds.
func clean(text string) string { return strings.ReplaceAll(text, "\x00", "\ufffd") }

// TestItemsStop tests that a reader may stop, at an item as well as at an error.
func TestItemsStop(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{}`, `[{}, {}, {}]`, `[{}, `, `x`, `[5, {}]`} {
		count := 0
		wire.Items([]byte(body))(func(wire.Item, error) bool {
			count++
			return false
		})
		if count != 1 {
			t.Errorf("%s: %d items", body, count)
		}
	}
}

func TestItemsAreBounded(t *testing.T) {
	t.Parallel()
	count, last := 0, error(nil)
	for _, err := range wire.Items([]byte("[" + strings.Repeat("{},", 20_000) + "{}]")) {
		count, last = count+1, err
	}
	if count != 10_001 || last == nil || last.Error() != "more than 10000 items" {
		t.Errorf("%d items, then %v", count, last)
	}
}

package wire_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// TestEntries has the forms in which PHP writes one thing.
func TestEntries(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reason, json          string
		texts, objects, lists []string
	}{
		"an object":             {"keys that are words", `{"a": 1, "b": "x\/y", "c": null, "d": {"e": 2}}`, []string{"a=1", "b=x/y", "c=", `d={"e": 2}`}, []string{"d=2"}, []string{"a=1", "b=x/y", "c="}},
		"a list":                {"keys that count from 0", `["x", 5, {"e": "f"}]`, []string{"0=x", "1=5", `2={"e": "f"}`}, []string{"2=f"}, []string{"0=x", "1=5"}},
		"a list with a hole":    {"keys that no longer count", `{"0": "x", "2": "y"}`, []string{"0=x", "2=y"}, nil, []string{"0=x", "2=y"}},
		"nothing, as a list":    {"an empty array says not what it is of", `[]`, nil, nil, nil},
		"nothing, as an object": {"", `{}`, nil, nil, nil},
		"null":                  {"", `null`, nil, nil, nil},
		"a scalar":              {"it is of no use", `"x"`, nil, nil, nil},
		"lists":                 {"mailboxes with their names", `[["a", "b", "c"], ["d", null], [], [{"x": 1}], "e"]`, []string{`0=["a", "b", "c"]`, `1=["d", null]`, "2=[]", `3=[{"x": 1}]`, "4=e"}, nil, []string{"0=a,b,c", "1=d,", "2=", "3=", "4=e"}},
	} {
		var texts, objects, lists []string
		err := wire.Single([]byte(`{"m": `+c.json+`}`), func(item wire.Item) error {
			for name, text := range item.Entries("m") {
				texts = append(texts, name+"="+text)
			}
			for name, object := range item.ObjectEntries("m") {
				objects = append(objects, name+"="+object.Text("e"))
			}
			for name, list := range item.Lists("m") {
				lists = append(lists, name+"="+strings.Join(list, ","))
			}
			for range item.Entries("m") {
				break // a caller that has enough
			}
			return nil
		})
		if diff := cmp.Diff([][]string{c.texts, c.objects, c.lists}, [][]string{texts, objects, lists}); err != nil || diff != "" {
			t.Errorf("%s: %v, %s: -want +got:\n%s", name, err, c.reason, diff)
		}
	}
	if err := wire.Single([]byte(`{"m": {"a": {"b": 1, "b": 2}}}`), func(item wire.Item) error {
		for _, object := range item.ObjectEntries("m") {
			object.Text("b")
		}
		return nil
	}); err == nil {
		t.Error("a member of an entry that occurs twice leaves nothing in doubt")
	}
}

package wire_test

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// single has the object that a body is read while it is good.
func single(t testing.TB, body string, read func(wire.Object)) {
	t.Helper()
	err := wire.Single([]byte(body), func(item wire.Item) error {
		read(item.Object)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		`"a\u00e9\"\/b"`:      "aé\"/b",
		`"\ud83d\ude00"`:      "😀",
		`""`:                  "",
		`1722202068227089305`: "1722202068227089305",
		`-1.50e+2`:            "-1.50e+2",
		`true`:                "true",
		`false`:               "false",
		`null`:                "",
		`{"a": 1}`:            "",
		`["a"]`:               "",
	} {
		single(t, `{"before": {"v": 1}, "v" : `+value+` , "V": "x"}`, func(o wire.Object) {
			if got := o.Text("v"); got != want {
				t.Errorf("the text of %s is %q, want %q", value, got, want)
			}
			if got := o.JSON("v"); got != value {
				t.Errorf("the JSON of %s is %s", value, got)
			}
		})
	}
	single(t, `{"V": 1, "o": {"v": 2}}`, func(o wire.Object) {
		if o.Text("v") != "" || o.JSON("v") != "" {
			t.Error("an absent member has a value")
		}
	})
	single(t, `{"\u0076": 1}`, func(o wire.Object) {
		if got := o.Text("v"); got != "1" {
			t.Errorf("a member whose name is escaped is %q", got)
		}
	})
	if (wire.Object{}).Text("v") != "" {
		t.Error("the zero object has a member")
	}
}

func TestTexts(t *testing.T) {
	t.Parallel()
	for value, want := range map[string][]string{
		`["a", 5, null, {"a": 1}, "", ["b"], "c\n" ]`: {"a", "5", "c\n"},
		`[ ]`:                   nil,
		`"a"`:                   {"a"},
		`7`:                     {"7"},
		`"[\"a\", 5, \"\"]"`:    {"a", "5"},
		`"[\"a\"] "`:            {"a"},
		`"[a@example.com]"`:     {"[a@example.com]"},
		`"[\"a\"] b"`:           {`["a"] b`},
		`"[{\"a\":1,\"a\":2}]"`: nil,
		`""`:                    nil,
		`null`:                  nil,
		`{}`:                    nil,
	} {
		single(t, `{"v": `+value+`}`, func(o wire.Object) {
			if diff := cmp.Diff(want, o.Texts("v")); diff != "" {
				t.Errorf("%s: -want +got:\n%s", value, diff)
			}
		})
	}
}

func TestObjects(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		`[{"a": 1, "b": {"a": 3}}, 5, null, [{"a": 4}], {"a": 2}]`: "1 2 ",
		`{"a": 1}`: "1 ",
		`[]`:       "",
		`"x"`:      "",
		`null`:     "",
	} {
		got := ""
		single(t, `{"v": `+value+`}`, func(o wire.Object) {
			for _, element := range o.Objects("v") {
				got += element.Text("a") + " "
			}
		})
		if got != want {
			t.Errorf("%s: got %q, want %q", value, got, want)
		}
	}
}

func TestObject(t *testing.T) {
	t.Parallel()
	var got []string
	single(t, `{"x": {"y": {"z": 1}, "n": 2}, "l": [{"y": 3}], "y": 4, "s": "{}", "e": {}}`, func(o wire.Object) {
		got = []string{
			o.Object("x").Object("y").Text("z"), o.Object("x").Text("n"), o.Text("y"),
			o.Object("l").Text("y"), o.Object("s").JSON("y"), o.Object("e").Text("y"), o.Object("x").Text("s"),
		}
	})
	if diff := cmp.Diff([]string{"1", "2", "4", "", "", "", ""}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestMembers(t *testing.T) {
	t.Parallel()
	var got []string
	single(t, `{"a": "x\n", "n": 1.0, "t": true, "null": null, "o": {"b": 1}, "l": [1], "\n": 2}`, func(o wire.Object) {
		for name, text := range o.Members() {
			got = append(got, name+"="+text)
		}
	})
	want := []string{"a=x\n", "n=1.0", "t=true", "null=", `o={"b": 1}`, "l=[1]", "\n=2"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestManyNames would take minutes if each name were compared with every other.
func TestManyNames(t *testing.T) {
	t.Parallel()
	single(t, `{`+members(99_000)+`"last": 2}`, func(o wire.Object) {
		if got := o.Text("last"); got != "2" {
			t.Errorf("the last member is %q", got)
		}
	})
	for _, again := range []string{"0", "31", "32", `\u0033\u0033`, "99"} {
		body := []byte(`{` + members(100) + `"` + again + `": 1}`)
		err := wire.Single(body, func(it wire.Item) error {
			for i := range 100 {
				_ = it.Text(strconv.Itoa(i))
			}
			return nil
		})
		if err == nil {
			t.Errorf("%s is looked up although it stands for two values", again)
		}
		if err := wire.Single(body, func(wire.Item) error { return nil }); err != nil {
			t.Errorf("%s, which nobody looks up: %v", again, err)
		}
	}
}

// members returns members whose names are the numbers from 0 on.
func members(n int) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, `"%d": {"a": 1}, `, i)
	}
	return text.String()
}

// TestBodiesAreNotMixed reads bodies at once, and one within the reading of another, with the same memory.
func TestBodiesAreNotMixed(t *testing.T) {
	t.Parallel()
	var readers sync.WaitGroup
	for n := range 8 {
		body := fmt.Sprintf(`{%s"n": {"n": %d}}`, members(20*n), n)
		readers.Go(func() {
			for range 200 {
				single(t, body, func(o wire.Object) {
					for item, err := range wire.Items([]byte(`[{"a": 1, "b": {"c": 2}}, {"n": 3}]`)) {
						if err != nil || item.Text("a")+item.Object.Object("b").Text("c")+item.Text("n") == "" {
							t.Error("an item within is not what was sent")
						}
					}
					if got := o.Object("n").Text("n"); got != strconv.Itoa(n) {
						t.Errorf("body %d says %q", n, got)
					}
				})
			}
		})
	}
	readers.Wait()
}

// TestObjectsInArraysAreForgotten tests that what is never looked up by name takes no memory once it is scanned. It measures
// what the whole process allocates, so nothing may run beside it.
func TestObjectsInArraysAreForgotten(t *testing.T) {
	body := []byte(`{"l": [` + strings.Repeat(`{"a":{"b":0}},`, 60_000) + `0]}`)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := wire.Single(body, func(wire.Item) error { return nil }); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if got, limit := after.TotalAlloc-before.TotalAlloc, uint64(2*len(body)); got > limit {
		t.Errorf("%d bytes were allocated for a body of %d", got, len(body))
	}
}

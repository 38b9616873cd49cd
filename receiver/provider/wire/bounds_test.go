package wire_test

import (
	"testing"

	"github.com/mailvane/mailvane/receiver/provider/wire"
)

// parallelOf returns the recipients of an item.
func parallelOf(t *testing.T, body string) wire.Parallel {
	t.Helper()
	var p wire.Parallel
	err := wire.Single([]byte(body), func(it wire.Item) error {
		p = it.Parallel(wire.Member{Object: it.Object, Name: "to"}, wire.Member{Object: it.Object.Object("x"), Name: "ids"})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestFanOutIsBoundedForAllItems takes what events may take with one item. Another then has no room for several events, and needs
// none to stay one.
func TestFanOutIsBoundedForAllItems(t *testing.T) {
	t.Parallel()
	two, one := parallelOf(t, `{"to":["a","b"]}`), parallelOf(t, `{"to":["a"]}`)
	f := wire.FanOut{BodyBytes: 17} // room for two events with 7 bytes beside the recipients, and 2,176 - 2,062 bytes more
	for i, step := range []struct {
		item *wire.Parallel
		want bool
	}{{&two, true}, {&two, false}, {&one, true}} {
		if err := f.Take(step.item); (err == nil) != step.want {
			t.Errorf("step %d: %v", i, err)
		}
	}
}

func TestRecipientsKeepTheirOwnPartOfAnItem(t *testing.T) {
	t.Parallel()
	const rest = `"a": 1, "x": {"ids": `
	for name, c := range map[string]struct {
		body  string
		texts [][2]string
		raw   []string
	}{
		"both lists": {
			body:  `{` + rest + `[ "1" , 2 ], "y": [1, 2]}, "to": ["p", "q"]}`,
			texts: [][2]string{{"p", "1"}, {"q", "2"}},
			raw:   []string{`{` + rest + `["1"], "y": [1, 2]}, "to": ["p"]}`, `{` + rest + `[2], "y": [1, 2]}, "to": ["q"]}`},
		},
		"one is shorter, and a text": {
			body:  `{"to": ["p", "q"], ` + rest + `"1"}}`,
			texts: [][2]string{{"p", "1"}, {"q", ""}},
			raw:   []string{`{"to": ["p"], ` + rest + `["1"]}}`, `{"to": ["q"], ` + rest + `[]}}`},
		},
		"one is an array in a text": {
			body:  `{"to": "[\"p\", \"\\u0071\"]"}`,
			texts: [][2]string{{"p", ""}, {"q", ""}},
			raw:   []string{`{"to": "[\"p\"]"}`, `{"to": "[\"\\u0071\"]"}`},
		},
		"gaps":            {body: `{"to": [null, "p", {}, "q"]}`, texts: [][2]string{{"p", ""}, {"q", ""}}, raw: []string{`{"to": ["p"]}`, `{"to": ["q"]}`}},
		"one recipient":   {body: `{"to": [null, "p"]}`, texts: [][2]string{{"p", ""}}, raw: []string{`{"to": [null, "p"]}`}},
		"nobody":          {body: `{"to": [null]}`, texts: [][2]string{{"", ""}}, raw: []string{`{"to": [null]}`}},
		"no lists":        {body: `{"a": 1}`, texts: [][2]string{{"", ""}}, raw: []string{`{"a": 1}`}},
		"of another kind": {body: `{"to": {"a": ["p", "q"]}}`, texts: [][2]string{{"", ""}}, raw: []string{`{"to": {"a": ["p", "q"]}}`}},
	} {
		p := parallelOf(t, c.body)
		if p.Len() != len(c.texts) {
			t.Errorf("%s: %d recipients", name, p.Len())
			continue
		}
		for i, want := range c.texts {
			if got := [2]string{p.Text(0, i), p.Text(1, i)}; got != want || string(p.Raw(i)) != c.raw[i] {
				t.Errorf("%s, recipient %d: %q with %s, want %q with %s", name, i, got, p.Raw(i), want, c.raw[i])
			}
		}
	}
}

// TestAnItemWithTooManyValuesDoesNotHideItsNeighbours has one that would take far more memory than its bytes.
func TestAnItemWithTooManyValuesDoesNotHideItsNeighbours(t *testing.T) {
	t.Parallel()
	crowded := []byte(`[{"a":1},{"a":[`)
	for range 200_001 {
		crowded = append(crowded, `0,`...)
	}
	crowded = append(crowded, `0]},{"b":2}]`...)
	var got []string
	for it, err := range wire.Items(crowded) {
		switch {
		case err == nil:
			got = append(got, string(it.Raw))
		case len(it.Raw) != len(`{"a":[0]}`)+2*200_001:
			t.Errorf("%v for %d bytes", err, len(it.Raw))
		default:
			got = append(got, err.Error())
		}
	}
	want := []string{`{"a":1}`, "more than 200000 values in one item", `{"b":2}`}
	if len(got) != 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Errorf("%q, want %q", got, want)
	}
}

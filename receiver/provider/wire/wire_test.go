package wire_test

import (
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

type inner struct {
	A wire.Text `json:"a"`
}

type outer struct {
	Text    wire.Text           `json:"text"`
	Texts   wire.Texts          `json:"texts"`
	Object  wire.Object[inner]  `json:"object"`
	Objects wire.Objects[inner] `json:"objects"`
	Span    wire.Span           `json:"span"`
}

func TestTolerantTypes(t *testing.T) {
	t.Parallel()
	present := wire.Object[inner]{Value: inner{A: "1"}, Present: true}
	cases := map[string]struct {
		body string
		want outer
	}{
		"text of a string":           {body: `{"text": "a\u00e9\"b"}`, want: outer{Text: "aé\"b"}},
		"text of a number":           {body: `{"text": 1722202068227089305}`, want: outer{Text: "1722202068227089305"}},
		"text of a number as sent":   {body: `{"text": 1.50e2}`, want: outer{Text: "1.50e2"}},
		"text of true":               {body: `{"text": true}`, want: outer{Text: "true"}},
		"text of false":              {body: `{"text": false}`, want: outer{Text: "false"}},
		"text of null":               {body: `{"text": null}`},
		"text of an object":          {body: `{"text": {"a": 1}}`},
		"text of an array":           {body: `{"text": ["a"]}`},
		"texts of an array":          {body: `{"texts": ["a", 5, null, {"a": 1}, "", ["b"], "c"]}`, want: outer{Texts: wire.Texts{"a", "5", "c"}}},
		"texts of a scalar":          {body: `{"texts": "a"}`, want: outer{Texts: wire.Texts{"a"}}},
		"texts of an encoded array":  {body: `{"texts": "[\"a\", 5, \"\"]"}`, want: outer{Texts: wire.Texts{"a", "5"}}},
		"texts of a bracketed text":  {body: `{"texts": "[a@example.com]"}`, want: outer{Texts: wire.Texts{"[a@example.com]"}}},
		"texts of null":              {body: `{"texts": null}`},
		"texts of an object":         {body: `{"texts": {}}`},
		"object":                     {body: `{"object": {"a": 1, "b": [2]}}`, want: outer{Object: present}},
		"object of a string":         {body: `{"object": "x"}`},
		"object of null":             {body: `{"object": null}`},
		"objects of an array":        {body: `{"objects": [{"a": 1}, 5, null, {"a": 2}]}`, want: outer{Objects: wire.Objects[inner]{{A: "1"}, {A: "2"}}}},
		"objects of one object":      {body: `{"objects": {"a": 1}}`, want: outer{Objects: wire.Objects[inner]{{A: "1"}}}},
		"objects of a string":        {body: `{"objects": "x"}`},
		"names are told by the case": {body: `{"TEXT": "x", "Text": "y"}`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got outer
			if err := wire.DecodeObject(jsontext.Value(c.body), &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(wire.Span{})); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestTolerantTypesRefuseWhatIsNoJSON(t *testing.T) {
	t.Parallel()
	for _, member := range []string{"text", "texts", "object", "objects", "span"} {
		for _, value := range []string{"nope", `{"a": 1, "a": 2}`, `["a"`, "\"\xff\"", `[{"a": 1, "a": 2}]`} {
			var got outer
			if err := wire.DecodeObject(jsontext.Value(`{"`+member+`": `+value+`}`), &got); err == nil {
				t.Errorf("%s of %s is accepted", member, value)
			}
		}
	}
}

func TestSpan(t *testing.T) {
	t.Parallel()
	raw := jsontext.Value(`{"text": "x",  "span" : { "a" : [1] } , "texts": []}`)
	var got outer
	if err := wire.DecodeObject(raw, &got); err != nil {
		t.Fatal(err)
	}
	if value := string(got.Span.Of(raw)); value != `{ "a" : [1] }` {
		t.Errorf("got %s", value)
	}
	if value := (wire.Span{}).Of(raw); len(value) != 0 {
		t.Errorf("an absent member is %s", value)
	}
}

func TestSMTPReply(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		text     string
		code     int
		enhanced string
	}{
		"reply":                        {text: "550 5.1.1 no", code: 550, enhanced: "5.1.1"},
		"continued reply":              {text: "smtp; 550-5.1.1 no", code: 550, enhanced: "5.1.1"},
		"without a blank":              {text: "smtp;550 5.1.1 no", code: 550, enhanced: "5.1.1"},
		"code alone":                   {text: "421", code: 421},
		"in free text":                 {text: "Error: Invalid login: 535 5.7.8 Error", code: 535, enhanced: "5.7.8"},
		"line break after the code":    {text: "250\nok", code: 250},
		"a port":                       {text: "connect ECONNREFUSED 192.0.2.1:587"},
		"a number in a sentence":       {text: "gave up after 450 ms"},
		"the start of a longer number": {text: "55012 no"},
		"an intermediate reply":        {text: "354 go ahead"},
		"nothing":                      {text: ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if code, enhanced := wire.SMTPReply(c.text); code != c.code || enhanced != c.enhanced {
				t.Errorf("got %d %q, want %d %q", code, enhanced, c.code, c.enhanced)
			}
		})
	}
}

func TestTexts(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"<a@b>": "a@b", " <a@b> ": "a@b", "a@b": "a@b", "<a@b": "<a@b", "": "", "<": "<"} {
		if got := wire.MessageID(wire.Text(text)); got != want {
			t.Errorf("MessageID(%q) = %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]string{"N <a@b>": "a@b", "a@b ": "a@b", `"<x>" <a@b>`: "a@b", "a <b": "a <b", "": ""} {
		if got := wire.Address(text); got != want {
			t.Errorf("Address(%q) = %q, want %q", text, got, want)
		}
	}
	for text, want := range map[wire.Text]int{"250": 250, " 550 ": 550, "199": 0, "600": 0, "5.1.1": 0, "": 0} {
		if got := text.SMTPCode(); got != want {
			t.Errorf("SMTPCode(%q) = %d, want %d", text, got, want)
		}
	}
	for text, want := range map[string]string{"5.1.1": "5.1.1", " 4.2.2": "4.2.2", "5.7.26": "5.7.26", "5.1": "", "3.1.1": "", "5.1.1.1": ""} {
		if got := wire.EnhancedCode(text); got != want {
			t.Errorf("EnhancedCode(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestStampsOfUndocumentedUnit(t *testing.T) {
	t.Parallel()
	want := time.Unix(1676615711, 0).UTC()
	for _, raw := range []wire.Text{"1676615711", "1676615711000"} {
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
	for _, raw := range []wire.Text{"2023-12-08T18:03:44Z", "2023-12-08T23:33:44+05:30", "2023-12-08T23:33:44+0530", "2023-12-08 18:03:44Z", "2023-12-08 18:03:44"} {
		var e event.Event
		wire.DateTime(raw).SetTime(&e, want)
		if !e.Time.Equal(want) || e.TimeImplausible || e.TimeRaw != string(raw) {
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

func TestMembers(t *testing.T) {
	t.Parallel()
	got := map[string]string{}
	wire.Members(jsontext.Value(`{"a": "x\n", "n": 1.0, "t": true, "null": null, "o": {"b": 1}, "l": [1]}`), func(name string, text wire.Text) {
		got[name] = string(text)
	})
	want := map[string]string{"a": "x\n", "n": "1.0", "t": "true", "null": "", "o": `{"b": 1}`, "l": "[1]"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func FuzzItems(f *testing.F) {
	for _, seed := range []string{`[{"a": 1}, 2]`, `{"a": 1}`, `[`, `[{"a": 1, "a": 2}] x`, "[\"\xff\"]"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		items, err := wire.Items(body)
		for _, item := range items {
			// A single object is handed on as it is.
			if wire.Trim(body).Kind() == jsontext.KindBeginArray && !item.IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) {
				t.Errorf("%q is no JSON value", item)
			}
		}
		var anything any
		if json.Unmarshal(body, &anything) == nil && err != nil {
			switch anything.(type) {
			case map[string]any, []any:
				t.Errorf("valid JSON is refused: %v", err)
			}
		}
	})
}

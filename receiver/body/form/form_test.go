package form_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/body/form"
)

func text(name, value string) form.Field { return form.Field{Name: name, Value: []byte(value)} }

const boundary = "multipart/form-data; boundary=xYz"

func multi(parts ...string) string {
	return strings.ReplaceAll("--xYz\n"+strings.Join(parts, "\n--xYz\n")+"\n--xYz--\n", "\n", "\r\n")
}

func TestParse(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		contentType, body string
		fields            []form.Field
		err               string
	}{
		"a form":                       {form.URLEncoded, "a=1&b=x+y%2B%C3%A9", []form.Field{text("a", "1"), text("b", "x y+é")}, ""},
		"with a charset":               {form.URLEncoded + "; charset=UTF-8", "a=1", []form.Field{text("a", "1")}, ""},
		"in another case":              {"Application/X-WWW-Form-Urlencoded", "a=1", []form.Field{text("a", "1")}, ""},
		"a parameter that is none":     {form.URLEncoded + "; charset", "a=1", []form.Field{text("a", "1")}, ""},
		"fields of one name, in order": {form.URLEncoded, "b=2&a=1&b=3", []form.Field{text("b", "2"), text("a", "1"), text("b", "3")}, ""},
		"no value, empty parts":        {form.URLEncoded, "&a&b=&&", []form.Field{text("a", ""), text("b", "")}, ""},
		"an equals sign in a value":    {form.URLEncoded, "a=b=c", []form.Field{text("a", "b=c")}, ""},
		"bytes that are no UTF-8":      {form.URLEncoded, "a=%ff", []form.Field{text("a", "\xff")}, ""},
		"nothing":                      {form.URLEncoded, "", nil, ""},
		"half an escape":               {form.URLEncoded, "a=%f", nil, "percent-encoded"},
		"a thousand and one":           {form.URLEncoded, strings.Repeat("a=1&", 1001), nil, "more than 1000"},
		"JSON":                         {"application/json", "[]", nil, "expected a form"},
		"no type":                      {"", "a=1", nil, "expected a form"},
		"parts": {boundary, multi("Content-Disposition: form-data; name=\"a\"\n\n1", "Content-Disposition: form-data; name=\"f\"; filename=\"x y.txt\"\nContent-Type: text/plain\n\nhello"), []form.Field{
			text("a", "1"), {Name: "f", Value: []byte("hello"), File: "x y.txt", MediaType: "text/plain"},
		}, ""},
		"a path as a file name":      {boundary, multi("Content-Disposition: form-data; name=\"f\"; filename=\"../../etc/passwd\"\n\nx"), []form.Field{{Name: "f", Value: []byte("x"), File: "passwd"}}, ""},
		"quoted-printable stays":     {boundary, multi("Content-Disposition: form-data; name=\"a\"\nContent-Transfer-Encoding: quoted-printable\n\n=41"), []form.Field{text("a", "=41")}, ""},
		"without its end":            {boundary, strings.TrimSuffix(multi("Content-Disposition: form-data; name=\"a\"\n\n1"), "--\r\n"), nil, "ends early"},
		"cut within a header":        {boundary, "--xYz\r\nContent-Disp", nil, "ends early"},
		"cut behind a header":        {boundary, "--xYz\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--xYz\r\nContent-Disposition: form-data; name=\"b\"\r\n", nil, "ends early"},
		"cut behind a boundary":      {boundary, "--xYz\r\n", nil, "ends early"},
		"blanks behind its end":      {boundary, "--xYz\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--xYz-- \t\r\nepilogue", []form.Field{text("a", "1")}, ""},
		"its end within a header":    {boundary, "--xYz\r\nContent-Disposition: form-data; name=\"--xYz--\"\r\n", nil, "ends early"},
		"no boundary":                {"multipart/form-data", multi("Content-Disposition: form-data; name=\"a\"\n\n1"), nil, "malformed"},
		"a boundary of a kilobyte":   {"multipart/form-data; boundary=" + strings.Repeat("x", 1024), "--" + strings.Repeat("x", 1024), nil, "malformed"},
		"headers without end":        {boundary, "--xYz\r\nX: " + strings.Repeat("x", 11<<20) + "\r\n\r\n1\r\n--xYz--", nil, "malformed"},
		"more parts than a form has": {boundary, multi(strings.Split(strings.Repeat("Content-Disposition: form-data; name=\"a\"\n\n1|", 1001), "|")[:1001]...), nil, "more than 1000"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, err := form.Parse(c.contentType, []byte(c.body))
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("got %v, want %q", err, c.err)
				}
				return
			}
			if diff := cmp.Diff(c.fields, f.Fields); err != nil || diff != "" {
				t.Fatalf("%v\n%s", err, diff)
			}
			raw := f.Raw()
			if !raw.IsValid() {
				t.Fatalf("raw is no JSON: %s", raw)
			}
			again, err := form.Parse("", raw)
			if diff := cmp.Diff(f, again); err != nil || diff != "" {
				t.Errorf("read again from raw: %v\n%s", err, diff)
			}
		})
	}
}

func TestGet(t *testing.T) {
	t.Parallel()
	f, err := form.Parse(form.URLEncoded, []byte("a=1&b=2&b=3"))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"a": "1 <nil>", "b": " the field b occurs twice", "c": " the field c is missing"} {
		value, err := f.Get(name)
		if got := fmt.Sprintf("%s %v", value, err); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if raw := string(f.Raw("b")); raw != `{"mediaType":"application/x-www-form-urlencoded","fields":[{"name":"a","value":"1"}]}` {
		t.Errorf("without b: %s", raw)
	}
}

// FuzzParse checks that nothing panics, and that what is kept of a form is the form again.
func FuzzParse(f *testing.F) {
	f.Add(form.URLEncoded, []byte("a=1&b=x+y%2B"))
	f.Add(boundary, []byte(multi("Content-Disposition: form-data; name=\"a\"; filename=\"f\"\n\n1")))
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		parsed, err := form.Parse(contentType, body)
		if err != nil {
			return
		}
		first := parsed.Raw()
		again, err := form.Parse("", first)
		if err != nil || string(again.Raw()) != string(first) {
			t.Errorf("%v: %s, then %s", err, first, again.Raw())
		}
	})
}

// TestIdentity has forms that say the same, and forms that do not.
func TestIdentity(t *testing.T) {
	t.Parallel()
	id := func(without []string, fields ...form.Field) string {
		f := form.Form{MediaType: form.Multipart, Fields: fields}
		return f.Identity(without...)
	}
	a, b, other := text("a", "1"), text("b", "2"), text("a", "3")
	file := form.Field{Name: "a", Value: []byte("1"), File: "x\xff", MediaType: "text/plain"}
	want := id(nil, a, b, other)
	for name, c := range map[string]struct {
		reason, got string
		same        bool
	}{
		"another order of names":  {"nothing is said by it", id(nil, b, a, other), true},
		"another order of values": {"it may count", id(nil, other, b, a), false},
		"one field less":          {"it is a fact", id(nil, a, other), false},
		"one field moved":         {"a name ends where it ends", id(nil, a, text("b3", ""), other), false},
		"one left out":            {"it is not to count", id([]string{"c"}, a, text("c", "9"), b, other), true},
		"a file in its place":     {"the file's name is a fact", id(nil, file, b, other), false},
	} {
		if (c.got == want) != c.same {
			t.Errorf("%s: the same: %v, want %v: %s", name, c.got == want, c.same, c.reason)
		}
	}
	kept := form.Form{MediaType: form.Multipart, Fields: []form.Field{file}}
	again, err := form.Parse("", kept.Raw())
	if err != nil || again.Identity() != kept.Identity() {
		t.Errorf("what is kept has another identity: %v", err)
	}
}

func TestAll(t *testing.T) {
	t.Parallel()
	f := form.Form{Fields: []form.Field{text("a", "1"), text("b", "2"), text("a", "3")}}
	if diff := cmp.Diff([][]byte{[]byte("1"), []byte("3")}, f.All("a")); diff != "" || f.All("c") != nil {
		t.Errorf("-want +got:\n%s", diff)
	}
}

package wire_test

import (
	"strings"
	"testing"

	"github.com/mailvane/mailvane/receiver/provider/wire"
)

func identity(t testing.TB, body string, without ...string) string {
	t.Helper()
	id := ""
	err := wire.Single([]byte(body), func(it wire.Item) error {
		var members []wire.Member
		for _, name := range without {
			members = append(members, wire.Member{Object: it.Object, Name: name}, wire.Member{Object: it.Object.Object("o"), Name: name})
		}
		id = it.Identity(members...)
		return nil
	})
	if err != nil {
		t.Fatalf("%.200s: %v", body, err)
	}
	return id
}

func TestOneIdentity(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 200)
	for name, bodies := range map[string][]string{
		"order":        {`{"a":1,"b":{"c":2,"d":[{"e":3,"f":4}]}}`, `{"b":{"d":[{"f":4,"e":3}],"c":2},"a":1}`},
		"white space":  {`{"a":[1,{"b":2}]}`, " { \"a\" :\n[ 1 ,\t{ \"b\" : 2 } ] } "},
		"escapes":      {`{"a":"é/\"\n","b":1}`, `{"\u0061":"\u00e9\/\u0022\u000a","b":1}`},
		"long strings": {`{"a":"` + long + `"}`, `{"a":"` + strings.ReplaceAll(long, "é", `\u00e9`) + `"}`},
		"numbers":      {`{"a":1738868390}`, `{"a":1738868390.0}`, `{"a":1.73886839e9}`, `{"a":17388683900E-1}`, `{"a":1738868390.000e+0}`},
		"zero":         {`{"a":0}`, `{"a":-0}`, `{"a":0.0}`, `{"a":0e5}`},
		"a fraction":   {`{"a":-1.50}`, `{"a":-15e-1}`},
		"a mark":       {`{"a":1}`, "\ufeff" + `{"a":1}`},
	} {
		want := identity(t, bodies[0])
		for _, body := range bodies[1:] {
			if identity(t, body) != want {
				t.Errorf("%s: %.200s and %.200s have two identities", name, bodies[0], body)
			}
		}
	}
}

func TestTwoIdentities(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 200)
	seen := map[string]string{}
	for _, body := range []string{
		`{}`, `{"a":1}`, `{"a":"1"}`, `{"a":null}`, `{"a":true}`, `{"a":false}`, `{"a":[1]}`, `{"a":{}}`, `{"a":[]}`, `{"a":[[]]}`, `{"a":[{}]}`, `{"A":1}`,
		`{"a":1,"b":2}`, `{"a":2,"b":1}`, `{"a":[1,2]}`, `{"a":[2,1]}`, `{"a":[12]}`, `{"ab":"c"}`, `{"a":"bc"}`, `{"a":{"b":1}}`, `{"a":{"b":1},"c":2}`, `{"a":{"b":1,"c":2}}`,
		`{"a":9007199254740993}`, `{"a":9007199254740992}`, `{"a":-1}`, `{"a":10}`, `{"a":0.1}`, `{"a":1e999}`, `{"a":1e9990}`, `{"a":1e99999999990}`, `{"a":1e9999999999}`, `{"a":0}`,
		`{"a":"` + long + `"}`, `{"a":"` + long + `y"}`, `{"a":"x\u0000"}`, `{"a":"x"}`, `{"a":"x\ufffd"}`, "{\"a\":\"x\x80\"}", "{\"a\":\"x\x81\"}", `{"a":1,"a":2}`, `{"a":2,"a":1}`,
		`{"a":` + strings.Repeat("[", 80) + strings.Repeat("]", 80) + `}`, `{"a":` + strings.Repeat("[", 81) + strings.Repeat("]", 81) + `}`,
	} {
		id := identity(t, body)
		if other, taken := seen[id]; taken {
			t.Errorf("%.200s and %.200s have one identity", other, body)
		}
		seen[id] = body
	}
}

func TestIdentityWithoutMembers(t *testing.T) {
	t.Parallel()
	want := identity(t, `{"a":1,"o":{"b":2}}`)
	for _, body := range []string{
		`{"x":5,"a":1,"o":{"b":2}}`, `{"a":1,"x":[1,2],"o":{"x":{"a":3},"b":2}}`, `{"a":1,"o":{"b":2,"x":"y"},"x":null}`, `{"a":1,"o":{"b":2}}`,
	} {
		if got := identity(t, body, "x"); got != want {
			t.Errorf("%s without x has another identity", body)
		}
	}
	if identity(t, `{"a":1,"o":{"b":2},"l":[{"x":1}]}`, "x") == identity(t, `{"a":1,"o":{"b":2},"l":[{"x":2}]}`, "x") {
		t.Error("a member of another object is left out, too")
	}
}

// TestIdentityOfWhatIsKept has items that are kept without a member: each has the id that it had with it, however deep it is, and is told
// apart by all else.
func TestIdentityOfWhatIsKept(t *testing.T) {
	t.Parallel()
	deep := func(levels int) string { return strings.Repeat("[", levels) + strings.Repeat("]", levels) }
	for name, body := range map[string]string{
		"flat": `{ "x" : 1, "a" : 2 }`, "the last of them": `{"a":2,"x":{"b":[1]}}`, "none": `{"a":2}`,
		"deep": `{ "a" : ` + deep(80) + `, "x" : 1 , "b" : 2 }`, "deep, and none": `{ "a" : ` + deep(80) + ` }`,
	} {
		err := wire.Single([]byte(body), func(it wire.Item) error {
			kept := it.Rewrite(func(name, value string) string {
				if name == "x" {
					return ""
				}
				return value
			})
			x := wire.Member{Object: it.Object, Name: "x"}
			if id := it.Identity(x); strings.Contains(body, `"x"`) && id != identity(t, string(wire.Unwrap(kept)), "x") {
				t.Errorf("%s: without x it is another", name)
			}
			return nil
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if identity(t, `{"a":`+deep(80)+`,"x":1}`, "x") == identity(t, `{"a":`+deep(81)+`,"x":1}`, "x") {
		t.Error("two deep items are one")
	}
}

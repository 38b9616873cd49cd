package wire_test

import (
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

func TestMailboxes(t *testing.T) {
	t.Parallel()
	type list = []wire.Mailbox
	one := func(address string) list { return list{{Address: address}} }
	named := func(name, address string) list { return list{{Name: name, Address: address}} }
	two := list{{Address: "a@example.com"}, {Address: "b@example.com"}}
	for name, c := range map[string]struct {
		text string
		want list
	}{
		"nothing":                                {"", nil},
		"blanks":                                 {" \t\r\n", nil},
		"bare":                                   {"a@example.com", one("a@example.com")},
		"domain in capitals":                     {"A.B@EXAMPLE.Com", one("A.B@example.com")},
		"brackets":                               {" <a@example.com> ", one("a@example.com")},
		"blanks in brackets":                     {"< a@example.com\r\n >", one("a@example.com")},
		"null reverse path":                      {"<>", nil},
		"display name":                           {"Team A <a@Example.com>", named("Team A", "a@example.com")},
		"quoted display name":                    {`"Team, \"A\"" <a@example.com>`, named(`Team, "A"`, "a@example.com")},
		"brackets in the display name":           {`"<x@example.org>" <a@example.com>`, named("<x@example.org>", "a@example.com")},
		"display name without brackets":          {"Team a@example.com", named("Team", "a@example.com")},
		"name in a comment":                      {"a@example.com (Team (A))", named("Team (A)", "a@example.com")},
		"comment within":                         {"a(x)@example.com", named("x", "a@example.com")},
		"address type of a report":               {"rfc822; a@example.com", one("a@example.com")},
		"address type in another case":           {"RFC822;<a@example.com>", one("a@example.com")},
		"address type for other scripts":         {"utf-8; jörg@example.com", one("jörg@example.com")},
		"address type in brackets":               {"<rfc822;a@example.com>", one("a@example.com")},
		"scheme":                                 {"mailto:a@example.com", one("a@example.com")},
		"source route":                           {"<@x.example,@y.example:a@example.com>", one("a@example.com")},
		"list by comma":                          {"a@example.com,b@example.com", two},
		"list by semicolon":                      {"a@example.com; b@example.com", two},
		"empty elements":                         {" ,; a@example.com,,b@example.com;", two},
		"list without separator":                 {"a@example.com b@example.com", two},
		"list of brackets without separator":     {"<a@example.com> <b@example.com>", two},
		"list in brackets":                       {"<a@example.com, b@example.com>", two},
		"list in quotes":                         {`"a@example.com, b@example.com"`, two},
		"separators in quotes":                   {`A <a@example.com>; "C; D, E" <b@example.com>`, list{{"A", "a@example.com"}, {"C; D, E", "b@example.com"}}},
		"group":                                  {"Team: a@example.com, b@example.com;", two},
		"group beside an address":                {"a@example.com, Team: b@example.com;", two},
		"group behind an address, no comma":      {"a@example.com Team:b@example.com", list{{"Team", "a@example.com"}, {"", "b@example.com"}}},
		"empty group":                            {"undisclosed-recipients:;", nil},
		"quoted local part":                      {`"a, b"@example.com`, one(`"a, b"@example.com`)},
		"quoted local part with a bracket":       {`<"a>b"@example.com>`, one(`"a>b"@example.com`)},
		"single quotes":                          {"'a@example.com'", one("a@example.com")},
		"single quotes as a name":                {"'a@example.com' <a@example.com>", named("'a@example.com'", "a@example.com")},
		"IP address":                             {"a@[IPv6:2001:DB8::1]", one("a@[ipv6:2001:db8::1]")},
		"parameters behind":                      {"<a@example.com> SIZE=100", one("a@example.com")},
		"no address":                             {"MAILER-DAEMON", one("MAILER-DAEMON")},
		"a bracket that nothing closes":          {"a <b", one("a <b")},
		"brackets in brackets":                   {"<<a@example.com>>", named("<", "a@example.com")},
		"a quote that nothing closes":            {`"A <a@example.com>, b@example.com`, list{{`"A`, "a@example.com"}, {"", "b@example.com"}}},
		"a comment that nothing closes":          {"(A <a@example.com>, b@example.com", list{{"(A", "a@example.com"}, {"", "b@example.com"}}},
		"two at signs":                           {"a@b@Example.com", one("a@b@example.com")},
		"an at sign alone":                       {"a @ example.com", one("a @ example.com")},
		"display name outside ASCII, full width": {"Ä Ö <a@MÜNCHEN.example>", named("Ä Ö", "a@münchen.example")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, wire.Mailboxes(c.text)); diff != "" {
				t.Errorf("%q (-want +got):\n%s", c.text, diff)
			}
			if got, want := wire.Addresses(c.text), len(c.want); len(got) != want {
				t.Errorf("Addresses: %q, want %d", got, want)
			}
			first := ""
			if len(c.want) > 0 {
				first = c.want[0].Address
			}
			if got := wire.Address(c.text); got != first {
				t.Errorf("Address: %q, want %q", got, first)
			}
		})
	}
}

// TestLongTextsAreReadInOnePass would not end if what nothing closes were looked for again and again.
func TestLongTextsAreReadInOnePass(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{"<", `"`, `\"`, `<\"`, `<"\"`, "(", "(<", "a@[", ":", "a@b:", "a ", "a@b ", "<a@b", `<"`, ";", "'", `"a@b`, "<a@b>", "a:b@c <"} {
		wire.Mailboxes(strings.Repeat(pattern, 1<<18/len(pattern)))
	}
}

func TestMailboxesOfMembers(t *testing.T) {
	t.Parallel()
	a, both := []wire.Mailbox{{Address: "a@example.com"}}, []wire.Mailbox{{Name: "A", Address: "a@example.com"}, {Address: "b@example.com"}}
	for name, c := range map[string]struct {
		value string
		want  []wire.Mailbox
	}{
		"text":                         {`"a@EXAMPLE.com"`, a},
		"text with a list":             {`"A <a@example.com>, b@example.com"`, both},
		"object":                       {`{"name": "A", "address": "<a@example.com>"}`, both[:1]},
		"object without a name":        {`{"name": "", "address": "a@example.com"}`, a},
		"object with a text as a name": {`{"address": "A <a@example.com>"}`, both[:1]},
		"object of an API":             {`{"email": "a@example.com", "name": "A"}`, both[:1]},
		"object of a report":           {`{"label": "rfc822", "value": "a@example.com"}`, a},
		"object of a parser":           {`{"value": [{"address": "a@example.com", "name": "A"}, {"address": "b@example.com"}], "text": "x"}`, both},
		"list":                         {`["A <a@example.com>", {"address": "b@example.com"}]`, both},
		"list of lists":                {`[["A <a@example.com>"], [[{"address": "b@example.com"}]]]`, both},
		"list in a text":               {`"[\"A <a@example.com>\", \"b@example.com\"]"`, both},
		"group":                        {`[{"name": "Team", "group": [{"address": "a@example.com", "name": "A"}, {"address": "b@example.com"}]}]`, both},
		"group of one":                 {`{"name": "Team", "group": [{"address": "a@example.com", "name": "A"}]}`, both[:1]},
		"empty elements":               {`["", null, {}, {"address": ""}, [], "a@example.com", {"address": null}]`, a},
		"null":                         {`null`, nil},
		"deeper than any":              {strings.Repeat("[", 100) + `"a@example.com"` + strings.Repeat("]", 100), nil},
		"list in an address":           {`{"address": "A <a@example.com>, b@example.com"}`, both},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := wire.Single([]byte(`{"to": `+c.value+`}`), func(item wire.Item) error {
				if diff := cmp.Diff(c.want, item.Mailboxes("to")); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
				if got := item.Addresses("to"); len(got) != len(c.want) || len(got) > 0 && got[0] != item.Address("to") {
					t.Errorf("addresses %q, first %q", got, item.Address("to"))
				}
				if got := item.Addresses("absent"); got != nil || item.Address("absent") != "" {
					t.Errorf("absent: %q", got)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestSetRecipients(t *testing.T) {
	t.Parallel()
	e := event.Event{}
	wire.SetRecipients(&e, []string{"a@example.com"}, nil, []string{"a@example.com"})
	if e.Recipient != "a@example.com" || !slices.Equal(e.Recipients, []string{"a@example.com"}) {
		t.Errorf("one address twice: %q %q", e.Recipient, e.Recipients)
	}
	wire.SetRecipients(&e, []string{"a@example.com"}, []string{"b@example.com"})
	if e.Recipient != "" || len(e.Recipients) != 2 {
		t.Errorf("two addresses: %q %q", e.Recipient, e.Recipients)
	}
	const MaxRecipients = 10_000
	many := make([]string, MaxRecipients)
	for i := range many {
		many[i] = strconv.Itoa(i) + "@example.com"
	}
	if wire.SetRecipients(&e, many, many); len(e.Recipients) != MaxRecipients || e.Truncated {
		t.Errorf("%d recipients, truncated %v", len(e.Recipients), e.Truncated)
	}
	list := strings.Join(many, ",") + ",x@example.com,y@example.com"
	if wire.SetRecipients(&e, wire.Addresses(list)); len(e.Recipients) != MaxRecipients || !e.Truncated {
		t.Errorf("%d recipients, truncated %v, want %d and a mark", len(e.Recipients), e.Truncated, MaxRecipients)
	}
	wire.SetRecipients(&e)
	if e.Recipient != "" || e.Recipients != nil {
		t.Errorf("none: %q %q", e.Recipient, e.Recipients)
	}
}

// FuzzMailboxes holds what is found against the parser of the standard library where that takes a text. Whatever the text is, no
// address is a list or is in brackets, and what was found is found again as it is.
func FuzzMailboxes(f *testing.F) {
	for _, seed := range []string{
		"a@example.com", `A <a@example.com>; "C; D" <c@example.com>`, "Team: a@example.com, <b@example.com>;", "rfc822; <a@example.com>", `"a, \"b"@example.com`,
		"a@[IPv6:::1]", "(x (y)) a@example.com", `<"<\"<a@b>\">">`, `"\"\\\"a@b\\\"\""`, "'a@b'", "<<<<", `((("`, "a:b:c@d:e", "<@x,@y:a@b>",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := wire.Addresses(text)
		for _, address := range got {
			if address == "" || strings.HasPrefix(address, "<") && strings.HasSuffix(address, ">") && strings.Contains(address, "@") {
				t.Errorf("%q: address %q", text, address)
			}
		}
		want, err := mail.ParseAddressList(text)
		if err != nil || strings.Contains(text, "'") { // quotes of a kind that the library does not know
			return
		}
		if len(got) != len(want) {
			t.Fatalf("%q: %q, want %v", text, got, want)
		}
		for i := range want {
			if parsed, err := mail.ParseAddress("<" + got[i] + ">"); err != nil || !strings.EqualFold(parsed.Address, want[i].Address) {
				t.Errorf("%q: %q, want %q", text, got[i], want[i].Address)
			}
		}
	})
}

package template_test

import (
	"strings"
	"testing"
	"time"

	"github.com/mailvane/mailvane/receiver/sink/template"
)

func TestExpand(t *testing.T) {
	t.Parallel()
	bounce := template.Values{Source: "/mailvane/mail/in", Type: "dev.mailvane.email.bounced.v1", Provider: "amazonses"}
	for name, tc := range map[string]struct {
		reason, text string
		values       template.Values
		want         string
	}{
		"literal":       {"a name may be the same for all", "mail.events", bounce, "mail.events"},
		"type":          {"its parts stay apart, so that a consumer can ask for email.*", "mail.{type}", bounce, "mail.email.bounced"},
		"all":           {"each attribute has its place", "{namespace}/{endpoint}.{provider}-{type}", bounce, "mail/in.amazonses-email.bounced"},
		"twice":         {"nothing forbids it", "{type}.{type}", bounce, "email.bounced.email.bounced"},
		"side by side":  {"no mark is needed between two", "{provider}{namespace}", bounce, "amazonsesmail"},
		"dotted name":   {"a name of Kubernetes may have dots; it stays one part", "{endpoint}.x", template.Values{Source: "/mailvane/mail/in.eu"}, "in_eu.x"},
		"no provider":   {"no part is empty", "a.{provider}.b", template.Values{}, "a._.b"},
		"no source":     {"no part is empty", "{namespace}.{endpoint}", template.Values{}, "_._"},
		"foreign type":  {"it is taken as it is", "{type}", template.Values{Type: "com.example.thing"}, "com.example.thing"},
		"odd type":      {"an attribute cannot add a wildcard, a blank or a path", "{type}", template.Values{Type: "a.*.> /é\n"}, "a._._____"},
		"empty parts":   {"a destination that takes no empty part takes this", "{type}", template.Values{Type: "a..b"}, "a__b"},
		"outer dots":    {"as above", "{type}", template.Values{Type: ".a."}, "_a_"},
		"not a version": {"only the name of ours is made short", "{type}", template.Values{Type: "dev.mailvane.email.sent.v2"}, "dev.mailvane.email.sent.v2"},
	} {
		parsed, err := template.Parse(tc.text, "-_./")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := parsed.Expand(tc.values); got != tc.want {
			t.Errorf("%s: %q, want %q: %s", name, got, tc.want, tc.reason)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ reason, text, want string }{
		"empty":          {"nothing has no name", "", "must not be empty"},
		"unknown":        {"a typing error is no literal", "mail.{typ}", "{type}, {provider}"},
		"not closed":     {"as above", "mail.{type", "where a brace opens"},
		"no name":        {"as above", "mail.{}", "where a brace opens"},
		"recipient":      {"an address is no part of a name that everybody sees", "{recipient}", "where a brace opens"},
		"another form":   {"templates of Go are another language", "mail.{{ .Type }}", "where a brace opens"},
		"wildcard":       {"a name is none", "mail.*", `'*'`},
		"blank":          {"protocols of lines end there", "mail events", `' '`},
		"closing brace":  {"it closes nothing", "mail}", `'}'`},
		"not ASCII":      {"not every destination takes it", "größe", `'ö'`},
		"foreign mark":   {"each sink says which marks it takes", "mail:events", `':'`},
		"not UTF-8":      {"it is told where it stands", "a\xffb", "must not contain"},
		"after one more": {"all literals are looked at", "{type} x", `' '`},
	} {
		if _, err := template.Parse(tc.text, "-_."); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q: %s", name, err, tc.want, tc.reason)
		}
	}
}

func TestConstant(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		text  string
		whole bool
	}{
		"mail.events": {"mail.events", true}, "mail.{type}": {"mail.", false}, "{type}.mail": {"", false}, "a{type}b": {"a", false},
	} {
		parsed, err := template.Parse(text, ".")
		if err != nil {
			t.Fatal(err)
		}
		if got, whole := parsed.Constant(); got != want.text || whole != want.whole {
			t.Errorf("%s: %q, %v, want %+v", text, got, whole, want)
		}
	}
}

// TestTimes has an event of another zone, whose date is that of UTC.
func TestTimes(t *testing.T) {
	t.Parallel()
	parsed, err := template.Parse("date={date}/hour={hour}/{type}", "=/", template.TimeAttributes()...)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, time.January, 2, 1, 4, 5, 0, time.FixedZone("", 2*60*60))
	if got, want := parsed.Expand(template.Values{Type: "dev.mailvane.email.sent.v1", Time: at}), "date=2026-01-01/hour=23/email.sent"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if _, err := template.Parse("{date}", "/"); err == nil {
		t.Error("a destination that files nothing by time takes {date}")
	}
}

package suppression_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/catalogue"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/suppression"
	"github.com/mailvane/mailvane/receiver/suppression/suppressiontest"
)

func day(n int) time.Time { return time.Date(2026, time.January, n, 3, 4, 5, 0, time.UTC) }

// TestOf reads the events of providers, among them those that look like a reason to hold mail back and are none.
func TestOf(t *testing.T) {
	t.Parallel()
	const to = "Ada@Example.com"
	for name, tc := range map[string]struct {
		event event.Event
		want  string
	}{
		"hard":                  {event.Event{Type: event.Bounced, Recipient: to, Bounce: event.Bounce{Type: event.Hard}}, "ada@example.com * bounce"},
		"hard, of a block list": {event.Event{Type: event.Bounced, Recipient: to, Bounce: event.Bounce{Type: event.Hard, Category: event.CategoryReputation}}, ""},
		"hard, nobody there":    {event.Event{Type: event.Bounced, Recipient: to, Bounce: event.Bounce{Type: event.Hard, Category: event.CategoryUserUnknown}}, "ada@example.com * bounce"},
		"soft":                  {event.Event{Type: event.Bounced, Recipient: to, Bounce: event.Bounce{Type: event.Soft}}, ""},
		"nobody can tell":       {event.Event{Type: event.Bounced, Recipient: to, Bounce: event.Bounce{Type: event.Undetermined}}, ""},
		"deferred":              {event.Event{Type: event.Deferred, Recipient: to}, ""},
		"rejected":              {event.Event{Type: event.Rejected, Recipient: to, Reject: event.Reject{Reason: event.SuppressedBounce}}, ""},
		"complained":            {event.Event{Type: event.Complained, Recipient: to}, "ada@example.com * complaint"},
		"one of one":            {event.Event{Type: event.Complained, Recipient: to, Recipients: []string{to}}, "ada@example.com * complaint"},
		"one of a group":        {event.Event{Type: event.Complained, Recipient: to, Recipients: []string{to, "b@example.com"}}, ""},
		"redacted":              {event.Event{Type: event.Complained}, ""},
		"taken back":            {event.Event{Type: event.Uncomplained, Recipient: to}, ""},
		"not verified":          {event.Event{Type: event.Complained, Recipient: to, Unverified: true}, ""},
		"unsubscribed":          {event.Event{Type: event.Unsubscribed, Recipient: to}, "ada@example.com * unsubscribe"},
		"of a group":            {event.Event{Type: event.Unsubscribed, Provider: "SendGrid", ProviderEvent: "group_unsubscribe", Recipient: to, Details: map[string]string{"asm_group_id": "42"}}, "ada@example.com sendgrid:42 unsubscribe"},
		"of all groups":         {event.Event{Type: event.Unsubscribed, Provider: "SendGrid", ProviderEvent: "unsubscribe", Recipient: to, Details: map[string]string{"asm_group_id": "42"}}, "ada@example.com * unsubscribe"},
		"of a stream":           {event.Event{Type: event.Unsubscribed, Provider: "Postmark", Recipient: to, Details: map[string]string{"MessageStream": "news"}}, "ada@example.com postmark:news unsubscribe"},
		"of two lists":          {event.Event{Type: event.Unsubscribed, Provider: "Postmark", Recipient: to, Details: map[string]string{"MessageStream": "1, 2"}}, "ada@example.com postmark:1 unsubscribe; ada@example.com postmark:2 unsubscribe"},
		"of another's detail":   {event.Event{Type: event.Unsubscribed, Provider: "SendGrid", Recipient: to, Details: map[string]string{"MessageStream": "1"}}, "ada@example.com * unsubscribe"},
		"a bounce has no list":  {event.Event{Type: event.Bounced, Provider: "Postmark", Recipient: to, Bounce: event.Bounce{Type: event.Hard}, Details: map[string]string{"MessageStream": "news"}}, "ada@example.com * bounce"},
		"resubscribed":          {event.Event{Type: event.Resubscribed, Recipient: to}, "releases ada@example.com * unsubscribe"},
		"on the provider's":     {event.Event{Type: event.SuppressionAdded, Recipient: to}, "ada@example.com * listed"},
		"off the provider's":    {event.Event{Type: event.SuppressionRemoved, Recipient: to}, "releases ada@example.com * listed"},
		"delivered":             {event.Event{Type: event.Delivered, Recipient: to}, ""},
		"a test of the console": {event.Event{Type: event.Test, Recipient: to}, ""},
	} {
		got := ""
		for _, c := range suppression.Of(&tc.event, "/mailvane/mail/in", day(2)) {
			if got != "" {
				got += "; "
			}
			if c.Releases {
				got += "releases "
			}
			got += fmt.Sprintf("%s %s %s", c.Address, c.Scope, c.Class)
		}
		if got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}

// TestListsAreDocumented holds the page against the list of providers, and the details that it names against the providers' pages.
func TestListsAreDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/sinks/suppression.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range catalogue.Providers() {
		if p.ListDetail == "" {
			continue
		}
		if want := "`" + strings.ToLower(p.Type) + ":<" + p.ListDetail + ">`"; !strings.Contains(string(page), want) {
			t.Errorf("docs/sinks/suppression.md does not have %s", want)
		}
		of, err := os.ReadFile("../../" + p.Docs())
		if err != nil || !strings.Contains(string(of), p.ListDetail) {
			t.Errorf("the page of %s does not name its detail %s: %v", p.Type, p.ListDetail, err)
		}
	}
}

// TestTimes takes the provider's, but not one at which nothing could be released any more.
func TestTimes(t *testing.T) {
	t.Parallel()
	for at, want := range map[time.Time]time.Time{
		day(1): day(1), day(3).Add(30 * time.Minute): day(3).Add(30 * time.Minute), day(30): day(3), {}: day(3), day(1).Add(1500 * time.Nanosecond): day(1).Add(time.Microsecond),
	} {
		e := event.Event{Type: event.Complained, Recipient: "a@example.com", Time: at}
		if got := suppression.Of(&e, "", day(3))[0].At; !got.Equal(want) {
			t.Errorf("%s became %s", at, got)
		}
	}
}

func merged(changes ...suppression.Change) suppression.Row {
	var r suppression.Row
	for i := range changes {
		r.Merge(&changes[i])
	}
	return r
}

func change(id string, at int, releases bool) suppression.Change {
	return suppression.Change{At: day(at), Releases: releases, Origin: suppression.Origin{ID: id}}
}

// TestMerge has what happened last, by the provider's clock, decide, and not what came last.
func TestMerge(t *testing.T) {
	t.Parallel()
	in, out, again := change("in", 2, false), change("out", 3, true), change("again", 4, false)
	for name, tc := range map[string]struct {
		changes []suppression.Change
		inForce bool
		count   int64
	}{
		"nothing":                      {nil, false, 0},
		"in":                           {[]suppression.Change{in}, true, 1},
		"in and out":                   {[]suppression.Change{in, out}, false, 1},
		"out, and in that came late":   {[]suppression.Change{out, in}, false, 1},
		"out alone":                    {[]suppression.Change{out}, false, 0},
		"in, out, and in again":        {[]suppression.Change{in, out, again}, true, 2},
		"again, then what was before":  {[]suppression.Change{again, out, in}, true, 2},
		"in twice":                     {[]suppression.Change{in, in, in}, true, 1},
		"out at the same time as in":   {[]suppression.Change{in, change("out", 2, true)}, true, 1},
		"two facts at the same moment": {[]suppression.Change{in, change("in2", 2, false)}, true, 2},
	} {
		if r := merged(tc.changes...); r.InForce() != tc.inForce || r.Count != tc.count {
			t.Errorf("%s: in force %t, %d times", name, r.InForce(), r.Count)
		}
	}
}

// TestAnyOrder merges the same changes in any order and however often: the row is the same.
func TestAnyOrder(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var changes []suppression.Change
		for n := range 1 + random.IntN(60) {
			changes = append(changes, change(fmt.Sprint(n), 1+random.IntN(6), random.IntN(3) == 0))
		}
		want := merged(changes...)
		again := append(append([]suppression.Change(nil), changes...), changes[:random.IntN(len(changes)+1)]...)
		random.Shuffle(len(again), func(i, j int) { again[i], again[j] = again[j], again[i] })
		if diff := cmp.Diff(want, merged(again...)); diff != "" {
			t.Fatal(diff)
		}
	}
}

// TestARowIsBounded has more events than a row knows again: the latest decide, and what is old is not counted twice.
func TestARowIsBounded(t *testing.T) {
	t.Parallel()
	var r suppression.Row
	for round := range 3 {
		for n := range 200 {
			c := suppression.Change{At: day(1).Add(time.Duration(n) * time.Hour), Origin: suppression.Origin{ID: fmt.Sprint(n)}}
			r.Merge(&c)
		}
		if r.Count != 200 || len(r.Seen) != 64 || r.Last.ID != "199" || !r.FirstAt.Equal(day(1)) {
			t.Fatalf("round %d: %d times, %d known, %s", round, r.Count, len(r.Seen), r.Last.ID)
		}
	}
}

// TestRelease has a person release what is in force and nothing else, also where a provider's clock is ahead.
func TestRelease(t *testing.T) {
	t.Parallel()
	row := func(scope string, class suppression.Class, at int) suppression.Row {
		r := merged(change("in", at, false))
		r.Address, r.Scope, r.Class = "a@example.com", scope, class
		return r
	}
	rows := []suppression.Row{row("*", suppression.Bounce, 1), row("*", suppression.Complaint, 20), row("list:1", suppression.Unsubscribe, 1), merged(change("in", 1, false), change("out", 2, true))}
	for _, tc := range []struct {
		class suppression.Class
		scope string
		want  int
	}{{"", "", 3}, {suppression.Complaint, "", 1}, {"", "list:1", 1}, {suppression.Bounce, "list:1", 0}} {
		changes := suppression.Release(rows, tc.class, tc.scope, "support: it was a test", day(10))
		if len(changes) != tc.want {
			t.Errorf("%s %s: %d changes", tc.class, tc.scope, len(changes))
		}
		for _, c := range changes {
			for _, r := range rows {
				if r.Scope == c.Scope && r.Class == c.Class {
					if r.Merge(&c); r.InForce() {
						t.Errorf("%s %s is still in force", r.Scope, r.Class)
					}
				}
			}
		}
	}
}

// TestInForce has a list's mail held back by what is of all mail, and not the other way.
func TestInForce(t *testing.T) {
	t.Parallel()
	all, list := merged(change("in", 1, false)), merged(change("in", 1, false))
	all.Scope, list.Scope = suppression.Everything, "list:1"
	rows := []suppression.Row{all, list}
	for scope, want := range map[string]int{suppression.Everything: 1, "list:1": 2, "list:2": 1} {
		if got := suppression.InForce(rows, scope); len(got) != want {
			t.Errorf("%s: %d", scope, len(got))
		}
	}
}

// TestInMemory has the suite try itself on a store that cannot fail.
func TestInMemory(t *testing.T) {
	t.Parallel()
	suppressiontest.Run(t, func(t *testing.T) suppressiontest.Harness {
		t.Helper()
		m := suppressiontest.NewMemory()
		return suppressiontest.Harness{Open: func(*testing.T) suppression.Store { return m }}
	})
}

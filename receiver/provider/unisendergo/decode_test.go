package unisendergo_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
)

func received() time.Time { return time.Date(2026, time.January, 2, 3, 4, 5, 0, time.UTC) }

func decode(t testing.TB, body string) provider.Batch {
	t.Helper()
	return webhook(t).Decode(&provider.Request{Body: []byte(body), ReceivedAt: received()})
}

func decodeOne(t testing.TB, body string) event.Event {
	t.Helper()
	b := decode(t, body)
	if len(b.Events) != 1 || len(b.Undecodable) != 0 {
		t.Fatalf("%d events, undecodable %+v; want one event", len(b.Events), b.Undecodable)
	}
	return b.Events[0]
}

// item returns an event of a status with more data, and users the body that the events of some users are.
func item(status, rest string) string {
	return `{"event_name": "transactional_email_status", "event_data": {"job_id": "j1", "email": "a@example.com", "status": "` + status + `", "event_time": "2026-01-01 10:00:00"` + rest + `}}`
}

func user(members string, events ...string) string {
	return `{` + members + `, "events": [` + strings.Join(events, ", ") + `]}`
}

func users(of ...string) string {
	return `{"auth": "x", "events_by_user": [` + strings.Join(of, ", ") + `]}`
}

func alone(event string) string { return users(user(`"user_id": 456`, event)) }

// flat returns the event of a webhook that posts one at a time.
func flat(status, rest string) string {
	return `{"auth": "x", "event_name": "transactional_email_status", "user_id": 456, "job_id": "j1", "email": "a@example.com", "status": "` + status + `", "event_time": "2026-01-01 10:00:00"` + rest + `}`
}

// outcome is what an event says of a message.
func outcome(e event.Event) event.Event {
	return event.Event{Type: e.Type, Bounce: e.Bounce, Reject: e.Reject}
}

func info(status, response string) string {
	return `, "delivery_info": {"delivery_status": "` + status + `", "destination_response": "` + response + `"}`
}

// TestOutcomes has every status and every word for why a message was given up, in both formats.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	only := func(is event.Type) event.Event { return event.Event{Type: is} }
	bounced := func(t event.BounceType, category string) event.Event {
		return event.Event{Type: event.Bounced, Bounce: event.Bounce{Type: t, Category: category}}
	}
	unsubscribed := event.Event{Type: event.Rejected, Reject: event.Reject{Reason: event.UnsubscribedAddress}}
	for name, c := range map[string]struct {
		status, rest string
		want         event.Event
	}{
		"sent":                             {"sent", ``, only(event.Sent)},
		"delivered":                        {"delivered", ``, only(event.Delivered)},
		"opened":                           {"opened", ``, only(event.Opened)},
		"clicked":                          {"clicked", ``, only(event.Clicked)},
		"unsubscribed":                     {"unsubscribed", ``, only(event.Unsubscribed)},
		"subscribed anew":                  {"subscribed", ``, only(event.Resubscribed)},
		"a complaint":                      {"spam", ``, only(event.Complained)},
		"a server's complaint":             {"spam", info("err_spam_rejected", "554 5.7.1 spam"), bounced(event.Soft, "spam")},
		"a status that is new":             {"archived", ``, only(event.Unknown)},
		"a status in capitals":             {"DELIVERED", ``, only(event.Delivered)},
		"it will be tried again":           {"soft_bounced", info("err_will_retry", "451 4.7.1 later"), only(event.Deferred)},
		"hard, and will be tried again":    {"hard_bounced", info("err_will_retry", ""), only(event.Deferred)},
		"unsubscribed before":              {"hard_bounced", info("err_unsubscribed", ""), unsubscribed},
		"unsubscribed before, soft":        {"soft_bounced", info("err_unsubscribed", ""), unsubscribed},
		"no such user":                     {"hard_bounced", info("err_user_unknown", "550 5.1.1 no"), bounced(event.Hard, "user_unknown")},
		"a user who is gone":               {"hard_bounced", info("err_user_inactive", ""), bounced(event.Hard, "user_unknown")},
		"full":                             {"soft_bounced", info("err_mailbox_full", "452 4.2.2 full"), bounced(event.Soft, "mailbox_full")},
		"full for long":                    {"hard_bounced", info("err_mailbox_full", ""), bounced(event.Hard, "mailbox_full")},
		"thrown away":                      {"hard_bounced", info("err_mailbox_discarded", ""), bounced(event.Hard, "other")},
		"refused as spam":                  {"hard_bounced", info("err_spam_rejected", ""), bounced(event.Soft, "spam")},
		"not sent, since it is spam":       {"hard_bounced", info("err_spam_skipped", ""), bounced(event.Soft, "spam")},
		"on a blocklist":                   {"hard_bounced", info("err_blacklisted", ""), bounced(event.Soft, "reputation")},
		"too large":                        {"hard_bounced", info("err_too_large", ""), bounced(event.Soft, "content")},
		"no server":                        {"soft_bounced", info("err_unreachable", ""), bounced(event.Soft, "connection")},
		"no domain":                        {"hard_bounced", info("err_domain_inactive", ""), bounced(event.Hard, "connection")},
		"a domain that is not set up":      {"hard_bounced", info("err_destination_misconfigured", ""), bounced(event.Hard, "connection")},
		"skipped":                          {"hard_bounced", info("err_skip_letter", ""), bounced(event.Hard, "other")},
		"failed":                           {"hard_bounced", info("err_delivery_failed", ""), bounced(event.Hard, "other")},
		"lost":                             {"soft_bounced", info("err_lost", ""), bounced(event.Soft, "other")},
		"a word that is new":               {"hard_bounced", info("err_new", "550 5.7.1 policy"), bounced(event.Soft, "policy")},
		"a server's words beside it":       {"soft_bounced", info("err_new", "550 5.7.1 over quota"), bounced(event.Soft, "mailbox_full")},
		"its own word counts before them":  {"soft_bounced", info("err_blacklisted", "550 5.7.1 over quota"), bounced(event.Soft, "reputation")},
		"a word in capitals":               {"hard_bounced", info("ERR_USER_UNKNOWN", ""), bounced(event.Hard, "user_unknown")},
		"a bounce, and nothing else":       {"hard_bounced", ``, bounced(event.Hard, "other")},
		"a bounce, and null":               {"soft_bounced", `, "delivery_info": null`, bounced(event.Soft, "other")},
		"an open is not refused":           {"opened", info("err_spam_rejected", ""), only(event.Opened)},
		"an open does not bounce":          {"opened", info("err_user_unknown", ""), only(event.Opened)},
		"nor does what was delivered then": {"delivered", info("ok_delivered", "250 OK"), only(event.Delivered)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, body := range []string{alone(item(c.status, c.rest)), flat(c.status, c.rest)} {
				e := decodeOne(t, body)
				if diff := cmp.Diff(c.want, outcome(e)); diff != "" || e.ProviderEvent != c.status || e.Account != "456" || e.Recipient != "a@example.com" {
					t.Errorf("%s: %+v; -want +got:\n%s", body, e, diff)
				}
			}
		})
	}
}

func TestOddities(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body string
		get  func(*event.Event) any
		want any
	}{
		"a time without a zone is UTC": {alone(item("sent", ``)), func(e *event.Event) any { return []any{e.Time, e.TimeRaw} }, []any{time.Date(2026, 1, 1, 10, 0, 0, 0, time.UTC), "2026-01-01 10:00:00"}},
		"no time":                      {alone(`{"event_name": "x"}`), func(e *event.Event) any { return []any{e.Time, e.TimeImplausible} }, []any{received(), true}},
		"a block is not of a message":  {alone(`{"event_name": "transactional_spam_block", "event_data": {"block_time": "2026-01-01 10:00:00", "domain": "example.com", "SMTP_blocks_count": 8}}`), func(e *event.Event) any { return []any{e.Type, e.ProviderEvent, e.Time.Hour(), e.Details} }, []any{event.Unknown, "transactional_spam_block", 10, map[string]string{"domain": "example.com", "SMTP_blocks_count": "8"}}},
		"an event that is new":         {alone(`{"event_name": "new", "event_data": {"status": "sent"}}`), func(e *event.Event) any { return []any{e.Type, e.ProviderEvent} }, []any{event.Unknown, "new"}},
		"an event without data":        {alone(`{"event_name": "transactional_email_status"}`), func(e *event.Event) any { return []any{e.Type, e.ProviderEvent} }, []any{event.Unknown, "transactional_email_status"}},
		"data that are a list":         {alone(`{"event_name": "transactional_email_status", "event_data": []}`), func(e *event.Event) any { return e.Type }, event.Unknown},
		"metadata":                     {alone(item("sent", `, "metadata": {"a": "1", "b": 2, "c": null}`)), func(e *event.Event) any { return e.Metadata }, map[string]string{"a": "1", "b": "2"}},
		"metadata that are an array":   {alone(item("sent", `, "metadata": []`)), func(e *event.Event) any { return e.Metadata }, map[string]string(nil)},
		"metadata named 0 and 1":       {alone(item("sent", `, "metadata": ["a", "b"]`)), func(e *event.Event) any { return e.Metadata }, map[string]string{"0": "a", "1": "b"}},
		"a project is the account":     {users(user(`"user_id": 456, "project_id": "p1"`, item("sent", ``))), func(e *event.Event) any { return []any{e.Account, e.Details["user_id"]} }, []any{"p1", "456"}},
		"without one the user is":      {alone(item("sent", ``)), func(e *event.Event) any { return []any{e.Account, e.Details["user_id"]} }, []any{"456", ""}},
		"a server's words": {alone(item("hard_bounced", info("err_x", "550 5.1.1 no"))), func(e *event.Event) any {
			return []any{e.Diagnostic, e.SMTPCode, e.EnhancedCode, e.Details["delivery_status"]}
		}, []any{"550 5.1.1 no", 550, "5.1.1", "err_x"}},
		"a click":                       {alone(item("clicked", `, "url": "https://example.com/", "delivery_info": {"ip": "192.0.2.1", "user_agent": "A"}`)), func(e *event.Event) any { return []string{e.URL, e.IP, e.UserAgent} }, []string{"https://example.com/", "192.0.2.1", "A"}},
		"why somebody unsubscribes":     {alone(item("unsubscribed", `, "comment": "no"`)), func(e *event.Event) any { return e.Reason }, "no"},
		"what an event is kept as":      {users(user(`"user_id": 456, "a": 1.0`, `{"event_name": "x"}`, `5`)), func(e *event.Event) any { return string(e.Raw) }, `{"events_by_user":[{"user_id": 456, "a": 1.0, "events": [{"event_name": "x"}]}]}`},
		"and one that was posted alone": {`{"auth": "x", "event_name": "x", "a": 1.0}`, func(e *event.Event) any { return string(e.Raw) }, `{"event_name":"x","a":1.0}`},
		"one in a list, kept alone":     {item("sent", ``), func(e *event.Event) any { return []any{e.Type, e.Recipient, e.Account} }, []any{event.Sent, "a@example.com", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := decode(t, c.body)
			if len(b.Events) != 1 {
				t.Fatalf("%+v", b)
			}
			if diff := cmp.Diff(c.want, c.get(&b.Events[0])); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestBatches has several events, some of them broken: their neighbours are read.
func TestBatches(t *testing.T) {
	t.Parallel()
	opened, clicked := item("opened", ``), item("clicked", ``)
	one, two := `"user_id": 1`, `"user_id": 2`
	for name, c := range map[string]struct {
		body           string
		events, broken int
	}{
		"two events":                      {users(user(one, opened, clicked)), 2, 0},
		"two users":                       {users(user(one, opened), user(two, opened)), 2, 0},
		"no user":                         {users(), 0, 0},
		"no events":                       {users(user(one), user(two, opened)), 1, 0},
		"an event that is a number":       {users(user(one, opened, `5`, clicked)), 2, 1},
		"an event without a name":         {users(user(one, opened, `{}`, clicked)), 2, 1},
		"an event with two jobs":          {users(user(one, opened, `{"event_name": "transactional_email_status", "event_data": {"job_id": "1", "job_id": "2"}}`, clicked)), 2, 1},
		"a user who is a number":          {users(`5`, user(two, opened)), 1, 1},
		"a user without a list":           {users(`{"user_id": 1}`, user(two, opened)), 1, 1},
		"a user whose list is an object":  {users(`{"user_id": 1, "events": `+opened+`}`, user(two, opened)), 1, 1},
		"a user with two lists":           {users(`{"events": [], "events": [`+opened+`]}`, user(two, opened)), 1, 1},
		"a user with two ids":             {users(user(`"user_id": 1, "user_id": 2`, opened), user(two, opened)), 1, 1},
		"users that are an object":        {`{"events_by_user": ` + user(one, opened) + `}`, 0, 1},
		"users that are null":             {`{"events_by_user": null}`, 0, 1},
		"two lists of users":              {`{"events_by_user": [], "events_by_user": [` + user(one, opened) + `]}`, 0, 1},
		"twins are told apart":            {users(user(one, opened, opened)), 2, 0},
		"twins of two users are, as well": {users(user(one, opened), user(one, opened)), 2, 0},
		"neither users nor an event":      {`{"auth": "x"}`, 0, 1},
		"a list":                          {`[` + flat("sent", ``) + `]`, 0, 1},
		"nothing":                         {``, 0, 1},
		"a body that breaks off":          {`{"events_by_user": [` + user(one, opened), 0, 1},
		"an event alone, without a name":  {`{"event_name": null, "job_id": "1"}`, 0, 1},
		"an event alone, with two names":  {`{"event_name": "a", "event_name": "b"}`, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := decode(t, c.body)
			if len(b.Events) != c.events || len(b.Undecodable) != c.broken {
				t.Errorf("%d events, undecodable %+v", len(b.Events), b.Undecodable)
			}
			if len(b.Events) == 2 && b.Events[0].ID == b.Events[1].ID {
				t.Error("two events share an id")
			}
			for _, u := range b.Undecodable {
				if u.Reason == "" || !strings.Contains(c.body, string(u.Raw)) {
					t.Errorf("%+v", u)
				}
			}
		})
	}
}

// TestFanOut has what stands beside the events of a user, which each of them keeps: it may not become many times the request.
func TestFanOut(t *testing.T) {
	t.Parallel()
	const count = 2000
	beside := fmt.Sprintf(`"user_id": 1, "project_name": "%s"`, strings.Repeat("x", 1<<20))
	many := user(beside, strings.Split(strings.Repeat(`{"event_name":"x"}|`, count)+`{"event_name":"y"}`, "|")...)
	b := decode(t, users(many, user(`"user_id": 2`, item("sent", ``))))
	if len(b.Events) != 1 || len(b.Undecodable) != 1 || string(b.Undecodable[0].Raw) != many {
		t.Fatalf("%d events and %d undecodable, want the one of the other user", len(b.Events), len(b.Undecodable))
	}
	common := user(`"user_id": 1, "project_name": "Shop"`, strings.Split(strings.Repeat(item("sent", ``)+"|", count)+item("opened", ``), "|")...)
	if b := decode(t, users(common)); len(b.Events) != count+1 {
		t.Errorf("%d events of a common request, undecodable %d; want %d", len(b.Events), len(b.Undecodable), count+1)
	}
}

func TestIDs(t *testing.T) {
	t.Parallel()
	id := func(body string) string { return decodeOne(t, body).ID }
	event := item("opened", `, "delivery_info": {"ip": "192.0.2.1"}`)
	of := func(members, event string) string { return users(user(members, event)) }
	for name, c := range map[string]struct {
		other string
		same  bool
	}{
		"sent again, signed anew":      {strings.Replace(of(`"user_id": 1, "project_id": "p"`, event), `"x"`, `"y"`, 1), true},
		"the project has a new name":   {of(`"user_id": 1, "project_id": "p", "project_name": "New"`, event), true},
		"another project":              {of(`"user_id": 1, "project_id": "q"`, event), false},
		"another user":                 {of(`"user_id": 2, "project_id": "p"`, event), false},
		"a second later":               {of(`"user_id": 1, "project_id": "p"`, strings.Replace(event, "10:00:00", "10:00:01", 1)), false},
		"from elsewhere":               {of(`"user_id": 1, "project_id": "p"`, strings.Replace(event, "192.0.2.1", "192.0.2.2", 1)), false},
		"another status":               {of(`"user_id": 1, "project_id": "p"`, strings.Replace(event, "opened", "clicked", 1)), false},
		"digits moved between the two": {of(`"user_id": "1p", "project_id": ""`, event), false},
	} {
		if (id(of(`"user_id": 1, "project_id": "p"`, event)) == id(c.other)) != c.same {
			t.Errorf("%s: one id: %v, want %v", name, !c.same, c.same)
		}
	}
	if id(flat("sent", ``)) != id(strings.Replace(flat("sent", `, "project_name": "a"`), `"x"`, `"y"`, 1)) {
		t.Error("an event by itself, signed anew, has another id")
	}
	if id(flat("sent", ``)) == id(strings.Replace(flat("sent", ``), "456", "457", 1)) {
		t.Error("two users share an id")
	}
}

package nylas_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/event"
)

// TestBounces has what a bounce says of the address.
func TestBounces(t *testing.T) {
	t.Parallel()
	bounced := func(t event.BounceType, category string) event.Event {
		return event.Event{Type: event.Bounced, Bounce: event.Bounce{Type: t, Category: category}}
	}
	suppressed := event.Event{Type: event.Rejected, Reject: event.Reject{Reason: event.SuppressedBounce}}
	detected := func(members string) string { return notice("message.bounce_detected", members) }
	direct := func(typ, diagnostic string) string {
		return notice("message.bounced", `"bounce": {"type": "`+typ+`", "recipients": [{"email": "a@example.com", "diagnostic_code": "`+diagnostic+`"}]}`)
	}
	for name, c := range map[string]struct {
		body string
		want event.Event
	}{
		"no such mailbox":               {detected(`"type": "mailbox_unavailable", "code": "550"`), bounced(event.Hard, "mailbox_unavailable")},
		"a code as a number":            {detected(`"type": "mailbox_unavailable", "code": 550`), bounced(event.Hard, "mailbox_unavailable")},
		"unavailable for now":           {detected(`"type": "mailbox_unavailable", "code": "450"`), bounced(event.Soft, "mailbox_unavailable")},
		"an enhanced code":              {detected(`"type": "mailbox_unavailable", "code": "5.7.1"`), bounced(event.Soft, event.CategoryPolicy)},
		"the words say more":            {detected(`"code": "550", "bounce_reason": "550 5.1.1 no such user"`), bounced(event.Hard, event.CategoryUserUnknown)},
		"unavailable, and no code":      {detected(`"type": "mailbox_unavailable"`), bounced(event.Hard, "mailbox_unavailable")},
		"no code and no type":           {detected(``), bounced(event.Undetermined, event.CategoryOther)},
		"a type of the future":          {detected(`"type": "sender_blocked"`), bounced(event.Undetermined, "sender_blocked")},
		"a full mailbox":                {direct("MailboxFull", "smtp; 552 5.2.2 full"), bounced(event.Soft, event.CategoryMailboxFull)},
		"a full mailbox, and no code":   {direct("MailboxFull", ""), bounced(event.Soft, event.CategoryMailboxFull)},
		"no such address":               {direct("NoEmail", ""), bounced(event.Hard, event.CategoryUserUnknown)},
		"hard by its name":              {direct("General", ""), bounced(event.Hard, "general")},
		"a policy":                      {direct("General", "smtp; 550 5.7.1 no"), bounced(event.Soft, event.CategoryPolicy)},
		"a code alone":                  {direct("General", "smtp; 550 nope"), bounced(event.Hard, "general")},
		"words alone":                   {direct("General", "smtp; 550 user unknown"), bounced(event.Hard, event.CategoryUserUnknown)},
		"too large":                     {direct("MessageTooLarge", "smtp; 552 5.3.4 too large"), bounced(event.Soft, event.CategoryContent)},
		"never sent":                    {direct("Suppressed", ""), suppressed},
		"never sent, by the account's":  {direct("OnAccountSuppressionList", ""), suppressed},
		"no recipients":                 {notice("message.bounced", `"bounce": {"type": "NoEmail", "recipients": []}`), bounced(event.Hard, event.CategoryUserUnknown)},
		"null for the bounce":           {notice("message.bounced", `"bounce": null`), bounced(event.Hard, event.CategoryOther)},
		"an object in place of a list":  {notice("message.bounced", `"bounce": {"recipients": {"email": "a@example.com"}}`), bounced(event.Hard, event.CategoryOther)},
		"a complaint":                   {notice("message.complaint", `"complaint": {"type": "abuse"}`), event.Event{Type: event.Complained}},
		"the opposite of one":           {notice("message.complaint", `"complaint": {"type": "not-spam"}`), event.Event{Type: event.Uncomplained}},
		"a virus":                       {notice("message.rejected", ``), event.Event{Type: event.Rejected, Reject: event.Reject{Reason: event.PolicyViolation}}},
		"a message that was never sent": {notice("message.send_failed", `"error": "no"`), event.Event{Type: event.Failed}},
	} {
		e := decodeOne(t, c.body)
		if diff := cmp.Diff(c.want, event.Event{Type: e.Type, Bounce: e.Bounce, Reject: e.Reject}); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
}

// TestOneEventForEachRecipient: the reply to one says nothing of another, and none of them is lost or told twice, nor is one that cannot be read.
func TestOneEventForEachRecipient(t *testing.T) {
	t.Parallel()
	const object = `"message": {"id": "m", "to": ["a@example.com", "b@example.com"]}, "bounce": {"type": "General", "recipients": [` +
		`{"email": "A <a@EXAMPLE.com>"}, 5, {"email": "b@example.com", "diagnostic_code": "smtp; 450 4.2.0 later"}, {"email": "a@example.com"}]}`
	events := decode(t, notice("message.bounced", object)).Events
	var got []string
	ids := map[string]bool{}
	for _, e := range events {
		got = append(got, e.Recipient+" "+string(e.Bounce.Type)+" "+e.ProviderMessageID)
		ids[e.ID] = true
		if again := decodeOne(t, string(e.Raw)); again.Recipient != e.Recipient || again.ID != e.ID && e.Recipient != "a@example.com" {
			t.Errorf("kept as %s it is another: %+v", e.Raw, again)
		}
	}
	if diff := cmp.Diff([]string{"a@example.com hard m", " hard m", "b@example.com soft m", "a@example.com hard m"}, got); diff != "" || len(ids) != 4 {
		t.Errorf("%d ids, -want +got:\n%s", len(ids), diff)
	}
	one := decode(t, notice("message.bounced", `"bounce": {"recipients": [{"email": "b@example.com"}, {"email": "a@example.com"}]}`)).Events
	other := decode(t, notice("message.bounced", `"bounce": {"recipients": [{"email": "a@example.com"}, {"email": "b@example.com"}]}`)).Events
	if len(one) != 2 || len(other) != 2 || one[0].ID != other[1].ID || one[1].ID != other[0].ID {
		t.Errorf("in another order they are others: %+v %+v", one, other)
	}
}

// TestDetectedBounces has what is known of the message that did not arrive.
func TestDetectedBounces(t *testing.T) {
	t.Parallel()
	type known struct{ Recipient, MessageID, ProviderMessageID, Sender, Several string }
	for name, c := range map[string]struct {
		members string
		want    known
	}{
		"one address":          {`"bounced_addresses": "a@example.com", "origin": {"id": "o", "mime_id": "<m@example.com>", "from": "s@example.com"}`, known{"a@example.com", "m@example.com", "o", "s@example.com", ""}},
		"several":              {`"bounced_addresses": "a@example.com, b@example.com"`, known{"", "", "", "", "a@example.com,b@example.com"}},
		"a list of one":        {`"bounced_addresses": ["a@example.com"]`, known{"a@example.com", "", "", "", ""}},
		"the older name":       {`"origin": {"mimeId": "m@example.com", "from": [{"email": "s@example.com"}]}`, known{"", "m@example.com", "", "s@example.com", ""}},
		"Nylas's own id first": {`"message_id": "n", "origin": {"id": "o", "to": ["t@example.com"]}`, known{"", "", "n", "", ""}},
	} {
		e := decodeOne(t, notice("message.bounce_detected", c.members))
		got := known{e.Recipient, e.MessageID, e.ProviderMessageID, e.Sender, e.Details["bounced_addresses"]}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
}

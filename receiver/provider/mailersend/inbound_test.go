package mailersend_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/event"
)

// mail returns a mail that came in with these members.
func mail(members string) string {
	return `{"type": "inbound.message", "inbound_id": "i1", "data": {"id": "m1", ` + members + `}}`
}

func TestInbound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		members string
		get     func(*event.Event) any
		want    any
	}{
		"the mail as it came in counts":    {`"raw": "From: a@example.org\r\nSubject: s\r\n\r\nfrom raw", "text": "from text"`, func(e *event.Event) any { return e.Mail.Text }, "from raw"},
		"without it, what was read of it":  {`"raw": null, "text": "from text", "html": "<p>"`, func(e *event.Event) any { return []string{e.Mail.Text, e.Mail.HTML} }, []string{"from text", "<p>"}},
		"the decoded subject":              {`"subject": "Grüße", "raw": "Subject: =?utf-8?q?x?=\r\n\r\n"`, func(e *event.Event) any { return e.Subject }, "Grüße"},
		"the envelope":                     {`"sender": {"email": "b@example.org"}, "recipients": {"rcptTo": [{"email": "x@example.com"}]}`, func(e *event.Event) any { return e.Mail.Envelope }, event.MailEnvelope{From: "b@example.org", To: []string{"x@example.com"}}},
		"its one recipient is that of it":  {`"recipients": {"rcptTo": [{"email": "x@example.com"}], "to": {"data": [{"email": "list@example.com"}]}}`, func(e *event.Event) any { return e.Recipient }, "x@example.com"},
		"of several none is":               {`"recipients": {"rcptTo": [{"email": "x@example.com"}, {"email": "y@example.com"}]}`, func(e *event.Event) any { return []any{e.Recipient, e.Recipients} }, []any{"", []string{"x@example.com", "y@example.com"}}},
		"recipients that are none":         {`"recipients": [], "sender": "no"`, func(e *event.Event) any { return e.Recipients }, []string(nil)},
		"an empty sender":                  {`"sender": {"email": null}`, func(e *event.Event) any { return e.Mail.Envelope.From }, ""},
		"SPF that passes":                  {`"spf_check": {"code": "+"}`, func(e *event.Event) any { return e.Mail.Authentication.SPF }, "pass"},
		"SPF that fails":                   {`"spf_check": {"code": "-"}`, func(e *event.Event) any { return e.Mail.Authentication.SPF }, "fail"},
		"SPF that fails softly":            {`"spf_check": {"code": "~"}`, func(e *event.Event) any { return e.Mail.Authentication.SPF }, "softfail"},
		"SPF that says nothing":            {`"spf_check": {"code": "?"}`, func(e *event.Event) any { return e.Mail.Authentication.SPF }, "neutral"},
		"SPF in a word":                    {`"spf_check": {"code": "None"}`, func(e *event.Event) any { return e.Mail.Authentication.SPF }, "none"},
		"DKIM that passes":                 {`"dkim_check": true`, func(e *event.Event) any { return e.Mail.Authentication.DKIM }, "pass"},
		"DKIM that fails or is not there":  {`"dkim_check": false`, func(e *event.Event) any { return []string{e.Mail.Authentication.DKIM, e.Details["dkim_check"]} }, []string{"", "false"}},
		"a header field that occurs twice": {`"headers": {"References": ["<a@example.org>", "<b@example.org>"], "in-reply-to": "<a@example.org>"}`, func(e *event.Event) any { return []any{e.Mail.References, e.Mail.InReplyTo} }, []any{[]string{"a@example.org"}, "a@example.org"}},
		"headers that are null":            {`"headers": null, "date": "Thu, 1 Jan 2026 10:59:58 +0100"`, func(e *event.Event) any { return e.Mail.Date.Hour() }, 9},
		"a file":                           {`"attachments": [{"file_name": "a.txt", "content_type": "TEXT/plain; x=y", "size": 999, "content": "YQ=="}]`, func(e *event.Event) any { a := e.Mail.Attachments[0]; return []any{a.Name, a.MediaType, a.Size} }, []any{"a.txt", "text/plain", int64(1)}},
		"a file that is no base64": {`"attachments": [{"file_name": "a.txt", "content": "%%"}, {"file_name": "b.txt", "content": "YQ=="}]`, func(e *event.Event) any {
			return []any{len(e.Mail.Attachments), e.Mail.Attachments[0].SHA256, e.Truncated}
		}, []any{2, "", true}},
		"the mailboxes' names": {`"from": {"email": "a@EXAMPLE.org", "name": "A", "raw": "A <a@example.org>"}`, func(e *event.Event) any { return e.Mail.From }, []event.Mailbox{{Address: "a@example.org", Name: "A"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := decodeOne(t, mail(c.members))
			if e.Type != event.Received || e.Mail == nil || e.Details["inbound_id"] != "i1" {
				t.Fatalf("%+v", e)
			}
			if diff := cmp.Diff(c.want, c.get(&e)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestInboundIDs has mails, of which one is posted again with another id of the route.
func TestInboundIDs(t *testing.T) {
	t.Parallel()
	one := decodeOne(t, mail(`"text": "a"`)).ID
	if one != decodeOne(t, mail(`"text": "b"`)).ID {
		t.Error("the id is not that of the mail")
	}
	if one == decodeOne(t, `{"type": "inbound.message", "data": {"id": "m2"}}`).ID {
		t.Error("two mails share an id")
	}
	if decodeOne(t, `{"type": "inbound.message", "data": {"text": "a"}}`).ID == decodeOne(t, `{"type": "inbound.message", "data": {"text": "b"}}`).ID {
		t.Error("without an id, two mails share one")
	}
}

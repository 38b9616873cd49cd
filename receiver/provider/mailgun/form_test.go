package mailgun_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

// form encodes pairs of names and values, with a signature behind them.
func form(pairs ...string) string {
	var out []string
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, url.QueryEscape(pairs[i])+"="+url.QueryEscape(pairs[i+1]))
	}
	return strings.Join(append(out, "timestamp=1767225600", "token=t1", "signature="+foreign), "&")
}

// TestLegacy has events of before 2018, whose fields the sender's variables stand among.
func TestLegacy(t *testing.T) {
	t.Parallel()
	legacy := func(name string, pairs ...string) string {
		return form(append([]string{"event", name, "recipient", "a@example.com"}, pairs...)...)
	}
	for name, c := range map[string]struct {
		body string
		get  func(*event.Event) any
		want any
	}{
		"its time":                                {legacy("opened"), func(e *event.Event) any { return e.Time }, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)},
		"variables beside Mailgun's":              {legacy("opened", "order_id", "o-1", "domain", "mg.example.com"), func(e *event.Event) any { return []any{e.Metadata, e.Details} }, []any{map[string]string{"order_id": "o-1"}, map[string]string{"domain": "mg.example.com"}}},
		"a variable called token":                 {"token=mine&" + legacy("opened"), func(e *event.Event) any { return e.Metadata }, map[string]string{"token": "mine"}},
		"one called signature, another timestamp": {"signature=a&timestamp=1&" + legacy("opened"), func(e *event.Event) any { return []any{e.Metadata, e.Time.Year()} }, []any{map[string]string{"signature": "a", "timestamp": "1"}, 2026}},
		"a variable that has another's name":      {legacy("opened", "recipient", "b@example.com", "url", "u"), func(e *event.Event) any { return []any{e.Recipient, e.URL} }, []any{"a@example.com", "u"}},
		"a variable twice":                        {legacy("opened", "a", "1", "a", "2"), func(e *event.Event) any { return e.Metadata }, map[string]string{"a": "1"}},
		"variables within a header field":         {legacy("bounced", "message-headers", `[["X-Mailgun-Variables", "{\"a\": 1}"]]`), func(e *event.Event) any { return e.Metadata }, map[string]string{"a": "1"}},
		"headers that are no list":                {legacy("bounced", "message-headers", `{"From": "x"}`), func(e *event.Event) any { return []any{e.Type, e.Sender} }, []any{event.Bounced, ""}},
		"headers that are no JSON":                {legacy("bounced", "message-headers", `[["From", "x"]`), func(e *event.Event) any { return []any{e.Type, e.Sender} }, []any{event.Bounced, ""}},
		"headers of other forms":                  {legacy("bounced", "message-headers", `[["From"], "x", null, ["From", "A <a@example.com>", 3], ["from", "B <b@example.com>"]]`), func(e *event.Event) any { return e.Sender }, "b@example.com"},
		"a Message-ID in small letters":           {legacy("clicked", "message-id", "m@example.com", "url", "https://example.com"), func(e *event.Event) any { return []any{e.Type, e.MessageID, e.URL} }, []any{event.Clicked, "m@example.com", "https://example.com"}},
		"a bounce":                                {legacy("bounced", "code", "550", "error", "5.1.1 no such user"), func(e *event.Event) any { return []any{e.Bounce, e.SMTPCode, e.EnhancedCode, e.Diagnostic} }, []any{event.Bounce{Type: event.Hard, Category: "user_unknown"}, 550, "5.1.1", "5.1.1 no such user"}},
		"a bounce with nothing":                   {legacy("bounced"), func(e *event.Event) any { return e.Bounce }, event.Bounce{Type: event.Hard, Category: "other"}},
		"one that is too old":                     {legacy("dropped", "reason", "old", "code", "602"), func(e *event.Event) any { return []any{e.Type, e.Bounce.Type, e.SMTPCode} }, []any{event.Bounced, event.Soft, 0}},
		"dropped for an earlier complaint":        {legacy("dropped", "reason", "hardfail", "code", "607"), func(e *event.Event) any { return []any{e.Type, e.Reject.Reason} }, []any{event.Rejected, event.SuppressedComplaint}},
		"a complaint":                             {legacy("complained"), func(e *event.Event) any { return e.Type }, event.Complained},
		"an unsubscription":                       {legacy("unsubscribed", "ip", "192.0.2.1", "mailing-list", "l@example.com"), func(e *event.Event) any { return []any{e.Type, e.IP, e.Details["mailing-list"]} }, []any{event.Unsubscribed, "192.0.2.1", "l@example.com"}},
		"tags":                                    {legacy("opened", "tag", "a", "X-Mailgun-Tag", "b", "X-Mailgun-Tag", "c"), func(e *event.Event) any { return e.Tags }, []string{"a", "b", "c"}},
		"a file is no variable":                   {legacy("bounced", "attachment-1", "x", "attachment-count", "1"), func(e *event.Event) any { return []any{len(e.Metadata), e.Details["attachment-count"]} }, []any{0, "1"}},
		"bytes that are not UTF-8":                {legacy("opened", "a", "\xff"), func(e *event.Event) any { return e.Metadata }, map[string]string{"a": "\ufffd"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := one(t, formType, c.body)
			if diff := cmp.Diff(c.want, c.get(&e)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestInbound has mails that routes forward, in the forms that they have by the address that they go to.
func TestInbound(t *testing.T) {
	t.Parallel()
	from := []event.Mailbox{{Address: "f@example.org", Name: "F"}}
	for name, c := range map[string]struct {
		pairs []string
		want  event.Mail
	}{
		"fields alone":                {[]string{"from", "F <f@EXAMPLE.org>", "body-plain", "hello", "body-html", "<b>hello</b>"}, event.Mail{From: from, Text: "hello", HTML: "<b>hello</b>"}},
		"headers before fields":       {[]string{"from", "other@example.com", "message-headers", `[["From", "F <f@example.org>"], ["Auto-Submitted", "Auto-Replied"]]`}, event.Mail{From: from, AutoSubmitted: "auto-replied"}},
		"header fields as fields":     {[]string{"body-plain", "", "From", "F <f@example.org>", "Cc", "c@example.com", "Reply-To", "r@example.com"}, event.Mail{From: from, Cc: []event.Mailbox{{Address: "c@example.com"}}, ReplyTo: []event.Mailbox{{Address: "r@example.com"}}}},
		"an envelope":                 {[]string{"from", "F <f@example.org>", "sender", "<s@example.org>"}, event.Mail{From: from, Envelope: event.MailEnvelope{From: "s@example.org"}}},
		"a report has no sender":      {[]string{"from", "F <f@example.org>", "sender", ""}, event.Mail{From: from}},
		"a mail as it came":           {[]string{"body-mime", "From: F <f@example.org>\r\n\r\nhello"}, event.Mail{From: from, Text: "hello"}},
		"a mail that is none":         {[]string{"body-mime", "\r\n", "from", "F <f@example.org>", "body-plain", "hello"}, event.Mail{From: from, Text: "hello"}},
		"verdicts":                    {[]string{"from", "F <f@example.org>", "message-headers", `[["X-Mailgun-Sflag", "Yes"], ["X-Mailgun-Sscore", "9.1"], ["X-Mailgun-Spf", "SoftFail"], ["X-Mailgun-Dkim-Check-Result", "Pass"]]`}, event.Mail{From: from, Spam: event.Spam{Verdict: "yes", Score: "9.1"}, Authentication: event.Authentication{SPF: "softfail", DKIM: "pass"}}},
		"files that Mailgun keeps":    {[]string{"message-url", "https://example.com/m", "attachments", `[{"url": "https://example.com/m/0", "name": "a.txt", "size": "13", "content-type": "Text/Plain; charset=utf-8"}, 5]`}, event.Mail{Attachments: []event.Attachment{{Name: "a.txt", MediaType: "text/plain", Size: 13, URL: "https://example.com/m/0"}}}},
		"files that are no list":      {[]string{"message-url", "https://example.com/m", "attachments", `{"url": "x"}`}, event.Mail{}},
		"a file without a name":       {[]string{"from", "F <f@example.org>", "attachment-1", "", "content-id-map", `{"<c1>": "attachment-1"}`}, event.Mail{From: from, Attachments: []event.Attachment{{ContentID: "c1", SHA256: empty}}}},
		"a map of files that is none": {[]string{"from", "F <f@example.org>", "content-id-map", `none`}, event.Mail{From: from}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := one(t, formType, form(append([]string{"recipient", "box@EXAMPLE.com"}, c.pairs...)...))
			c.want.Envelope.To = []string{"box@example.com"}
			if diff := cmp.Diff(&c.want, e.Mail); diff != "" || e.Type != event.Received || e.Recipient != "box@example.com" || e.Metadata != nil {
				t.Errorf("%s to %q, metadata %v, -want +got:\n%s", e.Type, e.Recipient, e.Metadata, diff)
			}
			if e.TimeImplausible || e.Time.Year() != 2026 {
				t.Errorf("time %v: the signature has one", e.Time)
			}
		})
	}
}

// empty is the digest of nothing.
const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// TestInboundIsBounded has a mail that is larger than an event.
func TestInboundIsBounded(t *testing.T) {
	t.Parallel()
	e := one(t, formType, form("recipient", "a@example.com", "body-plain", strings.Repeat("x", event.MaxMailText+1)))
	if !e.Truncated || len(e.Mail.Text) != event.MaxMailText {
		t.Errorf("truncated %v, %d bytes", e.Truncated, len(e.Mail.Text))
	}
	files := "[" + strings.TrimSuffix(strings.Repeat(`{"name":"a"},`, event.MaxAttachments+1), ",") + "]"
	if e = one(t, formType, form("recipient", "a@example.com", "message-url", "u", "attachments", files)); !e.Truncated || len(e.Mail.Attachments) != event.MaxAttachments {
		t.Errorf("truncated %v, %d attachments", e.Truncated, len(e.Mail.Attachments))
	}
}

// TestReports has a mail that came in and is a report on another one.
func TestReports(t *testing.T) {
	t.Parallel()
	b := decode(t, formType, form("recipient", "a@example.com", "sender", "", "body-mime", providertest.ReportMail))
	providertest.CheckReport(t, &b)
}

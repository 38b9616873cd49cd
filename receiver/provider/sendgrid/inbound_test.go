package sendgrid_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

// field returns a part of a form.
func field(name, value string) string {
	return "--b\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n"
}

func file(name, fileName, mediaType, value string) string {
	return strings.Replace(field(name, value), "\"\r\n", "\"; filename=\""+fileName+"\"\r\nContent-Type: "+mediaType+"\r\n", 1)
}

const end = "--b--\r\n"

func multipart(body string) *provider.Request {
	return &provider.Request{Header: http.Header{"Content-Type": {"multipart/form-data; boundary=b"}}, Body: []byte(body), ReceivedAt: received()}
}

func decodeMail(t testing.TB, parts ...string) event.Event {
	t.Helper()
	w := webhook(t, `{}`)
	r := multipart(strings.Join(parts, "") + end)
	b := w.Decode(r)
	if len(b.Events) != 1 || len(b.Undecodable) != 0 || b.Events[0].Mail == nil {
		t.Fatalf("%d events, undecodable %+v; want one mail", len(b.Events), b.Undecodable)
	}
	kept := &provider.Request{Body: b.Events[0].Raw, ReceivedAt: received()}
	if diff := cmp.Diff(b.Events, w.Decode(kept).Events); diff != "" {
		t.Errorf("what is kept is another mail:\n%s", diff)
	}
	return b.Events[0]
}

func TestInbound(t *testing.T) {
	t.Parallel()
	const envelope = `{"to":["box@example.com"],"from":"sender@example.org"}`
	to := []event.Mailbox{{Address: "to@example.com", Name: "To"}}
	for name, c := range map[string]struct {
		parts []string
		want  event.Mail
	}{
		"fields alone":                      {[]string{field("from", "F <f@example.org>"), field("to", "To <to@EXAMPLE.com>"), field("cc", "c@example.com"), field("text", "hello")}, event.Mail{From: []event.Mailbox{{Address: "f@example.org", Name: "F"}}, To: to, Cc: []event.Mailbox{{Address: "c@example.com"}}, Text: "hello"}},
		"headers before fields":             {[]string{field("headers", "To: To <to@example.com>\nAuto-Submitted: auto-replied"), field("to", "other@example.com")}, event.Mail{To: to, AutoSubmitted: "auto-replied"}},
		"headers of one text part":          {[]string{field("headers", "To: To <to@example.com>\r\nContent-Type: application/pdf\r\n\r\n")}, event.Mail{To: to}},
		"headers that are none":             {[]string{field("headers", "\x00"), field("to", "To <to@example.com>")}, event.Mail{To: to}},
		"a character set of its own":        {[]string{field("charsets", `{"text":"iso-8859-1","html":"windows-1251"}`), field("text", "caf\xe9"), field("html", "\xcf\xf0\xe8\xe2\xe5\xf2")}, event.Mail{Text: "café", HTML: "Привет"}},
		"GB 18030":                          {[]string{field("charsets", `{"text":"gb18030"}`), field("text", "\xc4\xe3\xba\xc3")}, event.Mail{Text: "你好"}},
		"charsets after what they say":      {[]string{field("text", "caf\xe9"), field("charsets", `{"text":"iso-8859-1"}`)}, event.Mail{Text: "café"}},
		"a character set that is none":      {[]string{field("charsets", `{"text":"klingon"}`), field("text", "caf\xe9")}, event.Mail{Text: "caf\ufffd"}},
		"charsets that are no JSON":         {[]string{field("charsets", `{text : utf-8}`), field("text", "é")}, event.Mail{Text: "é"}},
		"charsets that are null":            {[]string{field("charsets", `{"text":null}`), field("text", "é")}, event.Mail{Text: "é"}},
		"DKIM that passes":                  {[]string{field("from", ""), field("dkim", "{@example.org : pass}")}, event.Mail{Authentication: event.Authentication{DKIM: "pass"}}},
		"DKIM of two domains":               {[]string{field("from", ""), field("dkim", "{@a.example : fail, @b.example : Pass}")}, event.Mail{Authentication: event.Authentication{DKIM: "pass"}}},
		"DKIM that fails":                   {[]string{field("from", ""), field("dkim", "{@a.example : fail}"), field("SPF", "SoftFail")}, event.Mail{Authentication: event.Authentication{DKIM: "fail", SPF: "softfail"}}},
		"no signature":                      {[]string{field("from", ""), field("dkim", "none")}, event.Mail{Authentication: event.Authentication{DKIM: "none"}}},
		"DKIM that is empty":                {[]string{field("from", ""), field("dkim", "{}")}, event.Mail{}},
		"an envelope":                       {[]string{field("envelope", envelope)}, event.Mail{Envelope: event.MailEnvelope{From: "sender@example.org", To: []string{"box@example.com"}}}},
		"a report has no sender":            {[]string{field("envelope", `{"to":["box@example.com"],"from":""}`)}, event.Mail{Envelope: event.MailEnvelope{To: []string{"box@example.com"}}}},
		"an envelope as one text":           {[]string{field("envelope", `{"to":"box@example.com"}`)}, event.Mail{Envelope: event.MailEnvelope{To: []string{"box@example.com"}}}},
		"an envelope that is none":          {[]string{field("envelope", `to box`)}, event.Mail{}},
		"a file without a name":             {[]string{field("from", ""), field("attachment1", "")}, event.Mail{Attachments: []event.Attachment{{SHA256: empty}}}},
		"a file with a backslash":           {[]string{field("from", ""), file("attachment1", `C:\\temp\\a.txt`, "Text/Plain; charset=utf-8", "")}, event.Mail{Attachments: []event.Attachment{{Name: `C:\temp\a.txt`, MediaType: "text/plain", SHA256: empty}}}},
		"a file of another name":            {[]string{field("from", ""), file("upload", "a.txt", "text/plain", "")}, event.Mail{Attachments: []event.Attachment{{Name: "a.txt", MediaType: "text/plain", SHA256: empty}}}},
		"what is known of a file":           {[]string{field("from", ""), field("attachment-info", `{"attachment1":{"filename":"","name":"b.txt","type":"TEXT/html"}}`), field("content-ids", `{"c1":"attachment1"}`), field("attachment1", "")}, event.Mail{Attachments: []event.Attachment{{Name: "b.txt", MediaType: "text/html", ContentID: "c1", SHA256: empty}}}},
		"what is known of no file":          {[]string{field("from", ""), field("attachment-info", `{"attachment1":null}`), field("content-ids", `[]`), field("attachments", "0")}, event.Mail{}},
		"a mail as it came":                 {[]string{field("email", "To: To <to@example.com>\r\n\r\nhello"), field("text", "other")}, event.Mail{To: to, Text: "hello"}},
		"a mail as it came, that is none":   {[]string{field("email", "\r\n"), field("text", "hello")}, event.Mail{Text: "hello"}},
		"a field twice that is the same":    {[]string{field("text", "hello"), field("text", "hello")}, event.Mail{Text: "hello"}},
		"a field twice, where nobody looks": {[]string{field("text", "hello"), field("x", "1"), field("x", "2")}, event.Mail{Text: "hello"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := decodeMail(t, c.parts...)
			if diff := cmp.Diff(&c.want, e.Mail); diff != "" || e.Type != event.Received {
				t.Errorf("%s, -want +got:\n%s", e.Type, diff)
			}
			if !e.Time.Equal(received()) || !e.TimeImplausible {
				t.Errorf("time %v, implausible %v: SendGrid tells none", e.Time, e.TimeImplausible)
			}
		})
	}
}

// empty is the digest of nothing.
const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// TestInboundRecipients has whom a mail is for: one, where the envelope says so, whatever the header lists.
func TestInboundRecipients(t *testing.T) {
	t.Parallel()
	for envelope, want := range map[string]struct {
		recipient  string
		recipients []string
	}{
		`{"to":["box@example.com"]}`:                 {"box@example.com", []string{"box@example.com", "to@example.com"}},
		`{"to":["box@example.com","x@example.com"]}`: {"", []string{"box@example.com", "x@example.com", "to@example.com"}},
		``: {"to@example.com", []string{"to@example.com"}},
	} {
		e := decodeMail(t, field("to", "to@example.com"), field("envelope", envelope))
		if diff := cmp.Diff(want.recipients, e.Recipients); diff != "" || e.Recipient != want.recipient {
			t.Errorf("%s: %q: %s", envelope, e.Recipient, diff)
		}
	}
}

// TestBadForms has forms that are authentic and no mail.
func TestBadForms(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ reason, body, want string }{
		"no mail":              {"any form can be posted", field("a", "1") + end, "the form holds no mail"},
		"a field of two minds": {"nobody knows which counts", field("from", "a@example.com") + field("from", "b@example.com") + end, "the field from occurs twice, with different values"},
		"without its end":      {"what is missing may be the envelope", field("from", "a@example.com"), "the multipart body is malformed, or ends early"},
		"another boundary":     {"", strings.ReplaceAll(field("from", "a@example.com")+end, "--b", "--c"), "the multipart body is malformed, or ends early"},
		"a thousand fields":    {"files cost a field each", strings.Repeat(field("from", "a"), 1001) + end, "more than 1000 fields in one form"},
		"nothing":              {"", "", "the multipart body is malformed, or ends early"},
	} {
		b := webhook(t, `{}`).Decode(multipart(c.body))
		if len(b.Events) != 0 || len(b.Undecodable) != 1 || b.Undecodable[0].Reason != c.want || string(b.Undecodable[0].Raw) != c.body {
			t.Errorf("%s: %+v, want %q: %s", name, b, c.want, c.reason)
		}
	}
}

// TestInboundIDs has a mail that is posted again, and mails that differ in one field.
func TestInboundIDs(t *testing.T) {
	t.Parallel()
	from, envelope, text := field("from", "a@example.com"), field("envelope", `{"to":["b@example.com"]}`), field("text", "hello")
	want := decodeMail(t, from, envelope, text).ID
	other := multipart(strings.ReplaceAll(envelope+from+text+end, "--b", "--other"))
	other.Header.Set("Content-Type", `Multipart/Form-Data; boundary="other"`)
	if got := webhook(t, `{}`).Decode(other).Events; len(got) != 1 || got[0].ID != want {
		t.Error("another boundary, and another order of fields: another mail")
	}
	for what, parts := range map[string][]string{
		"the recipient": {from, field("envelope", `{"to":["c@example.com"]}`), text}, "the text": {from, envelope, field("text", "hello!")},
		"a field more": {from, envelope, text, field("x", "")}, "a file's name": {from, envelope, file("text", "a", "b", "hello")},
	} {
		if decodeMail(t, parts...).ID == want {
			t.Errorf("two mails that differ in %s share an id", what)
		}
	}
}

// TestInboundIsBounded has a mail that is larger than an event.
func TestInboundIsBounded(t *testing.T) {
	t.Parallel()
	e := decodeMail(t, field("text", strings.Repeat("x", event.MaxMailText+1)))
	if !e.Truncated || len(e.Mail.Text) != event.MaxMailText {
		t.Errorf("truncated %v, %d bytes", e.Truncated, len(e.Mail.Text))
	}
	var files []string
	for range event.MaxAttachments + 1 {
		files = append(files, field("attachment1", ""))
	}
	if e = decodeMail(t, append(files, field("from", ""))...); !e.Truncated || len(e.Mail.Attachments) != event.MaxAttachments {
		t.Errorf("truncated %v, %d attachments", e.Truncated, len(e.Mail.Attachments))
	}
}

// FuzzInbound feeds forms to Decode: what is kept of each is the same mail.
func FuzzInbound(f *testing.F) {
	f.Add([]byte(field("headers", "From: a@example.com\nTo: b@example.com") + field("charsets", `{"text":"iso-8859-1"}`) + field("text", "caf\xe9") + file("attachment1", "a", "b", "c") + end))
	w := webhook(f, `{}`)
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, e := range w.Decode(multipart(string(body))).Events {
			kept := &provider.Request{Body: e.Raw, ReceivedAt: received()}
			if diff := cmp.Diff([]event.Event{e}, w.Decode(kept).Events); diff != "" {
				t.Errorf("what is kept is another mail:\n%s", diff)
			}
		}
	})
}

// TestReports has a mail that came in and is a report on another one.
func TestReports(t *testing.T) {
	t.Parallel()
	b := webhook(t, `{}`).Decode(multipart(field("email", providertest.ReportMail) + field("envelope", `{"to":["a@example.com"],"from":""}`) + end))
	providertest.CheckReport(t, &b)
}

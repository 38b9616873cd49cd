package mime_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/body/mime"
	"github.com/mailvane/mailvane/receiver/event"
)

// The parts of a report as Postfix writes them.
const (
	ofMessage   = "Reporting-MTA: dns; out.example.com\r\nX-Postfix-Queue-ID: 4Zx\r\nArrival-Date: Mon, 2 Mar 2026 10:00:00 +0100 (CET)\r\n\r\n"
	noSuchUser  = "Final-Recipient: rfc822; B@EXAMPLE.org\r\nOriginal-Recipient: rfc822;alias@example.org\r\nAction: failed\r\nStatus: 5.1.1\r\nRemote-MTA: dns; mx.example.org\r\nDiagnostic-Code: smtp; 550 5.1.1 <B@example.org>:\r\n    no such user\r\n\r\n"
	headersOnly = "Return-Path: <a@example.com>\r\nFrom: =?UTF-8?Q?J=C3=BCrgen?= <a@example.com>\r\nTo: alias@example.org\r\nSubject: =?UTF-8?Q?caf=C3=A9?=\r\nMessage-ID: <original@example.com>\r\nX-Order: 4711\r\n"
)

// reportMail returns a multipart/report of parts, each a media type and a content.
func reportMail(parts ...string) string {
	var b strings.Builder
	b.WriteString("From: MAILER-DAEMON@example.com\r\nTo: a@example.com\r\nMessage-ID: <report@example.com>\r\nAuto-Submitted: auto-replied\r\n" +
		"MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nI'm sorry.\r\n")
	for i := 0; i < len(parts); i += 2 {
		fmt.Fprintf(&b, "--b\r\nContent-Type: %s\r\n\r\n%s\r\n", parts[i], parts[i+1])
	}
	return b.String() + "--b--\r\n"
}

// of is the event of a mail.
func of(raw string) *event.Event {
	return &event.Event{ID: "1", Type: event.Received, Provider: "p", ProviderEvent: "inbound", Time: time.Unix(1772442000, 0).UTC(), Raw: []byte(raw)}
}

func reports(t *testing.T, mail string) ([]event.Event, *event.Event) {
	t.Helper()
	m, err := mime.Parse([]byte(mail))
	if err != nil {
		t.Fatal(err)
	}
	from := of(`"raw"`)
	return m.Reports(from, new(mime.ReportBudget)), from
}

// TestReports has a report of each kind, read whole.
func TestReports(t *testing.T) {
	t.Parallel()
	details := map[string]string{
		"action": "failed", "mta": "mx.example.org", "reportMessageId": "report@example.com", "reportingMta": "out.example.com", "arrivalDate": "Mon, 2 Mar 2026 10:00:00 +0100 (CET)",
	}
	feedback := "Feedback-Type: Abuse\r\nUser-Agent: Reporter/1.0\r\nVersion: 1\r\nOriginal-Mail-From: <bounces@example.com>\r\nOriginal-Rcpt-To: <b@example.org>\r\nSource-IP: 192.0.2.1\r\nArrival-Date: Mon, 2 Mar 2026 10:00:00 +0100\r\nReported-Domain: example.com\r\n"
	for name, c := range map[string]struct {
		mail string
		want []event.Event
	}{
		"a failure": {
			reportMail("message/delivery-status", ofMessage+noSuchUser, "text/rfc822-headers; charset=utf-8", headersOnly),
			[]event.Event{{
				Type: event.Bounced, Recipient: "B@example.org", Recipients: []string{"alias@example.org"}, Sender: "a@example.com", Subject: "café", MessageID: "original@example.com",
				SMTPCode: 550, EnhancedCode: "5.1.1", Diagnostic: "550 5.1.1 <B@example.org>: no such user", Bounce: event.Bounce{Type: event.Hard, Category: event.CategoryUserUnknown},
				Details: details, Metadata: map[string]string{"x-order": "4711"},
			}},
		},
		"of two recipients, one was reached": {
			reportMail("message/global-delivery-status", ofMessage+"Final-Recipient: utf-8; c@example.org\r\nAction: DELIVERED (to mailbox)\r\nStatus: 2.0.0\r\n\r\n"+
				"Final-Recipient: rfc822; d@example.org\r\nAction: delayed\r\nStatus: 4.4.1 (connection)\r\nWill-Retry-Until: Sat, 7 Mar 2026 10:00:00 +0100\r\n"),
			[]event.Event{
				{Type: event.Delivered, Recipient: "c@example.org", EnhancedCode: "2.0.0", Details: map[string]string{"action": "DELIVERED (to mailbox)", "reportMessageId": "report@example.com", "reportingMta": "out.example.com", "arrivalDate": details["arrivalDate"]}},
				{Type: event.Deferred, Recipient: "d@example.org", EnhancedCode: "4.4.1", Details: map[string]string{"action": "delayed", "willRetryUntil": "Sat, 7 Mar 2026 10:00:00 +0100", "reportMessageId": "report@example.com", "reportingMta": "out.example.com", "arrivalDate": details["arrivalDate"]}},
			},
		},
		"a complaint": {
			reportMail("message/feedback-report", feedback, "message/rfc822", headersOnly+"\r\nHello\r\n"),
			[]event.Event{{
				Type: event.Complained, Complaint: event.Complaint{FeedbackType: "abuse"}, Recipient: "b@example.org", Recipients: []string{"b@example.org"}, Sender: "a@example.com", Subject: "café",
				MessageID: "original@example.com", IP: "192.0.2.1", Metadata: map[string]string{"x-order": "4711"},
				Details: map[string]string{"reportUserAgent": "Reporter/1.0", "arrivalDate": "Mon, 2 Mar 2026 10:00:00 +0100", "reportedDomain": "example.com", "reportMessageId": "report@example.com"},
			}},
		},
		"the opposite of a complaint": {
			reportMail("message/feedback-report", "Feedback-Type: not-spam\r\nOriginal-Rcpt-To: b@example.org\r\n"),
			[]event.Event{{Type: event.Uncomplained, Complaint: event.Complaint{FeedbackType: "not-spam"}, Recipient: "b@example.org", Recipients: []string{"b@example.org"}, Details: map[string]string{"reportMessageId": "report@example.com"}}},
		},
		"a complaint about a mail to two": {
			reportMail("message/feedback-report", "Feedback-Type: abuse\r\nOriginal-Rcpt-To: b@example.org\r\nOriginal-Rcpt-To: c@example.org\r\n"),
			[]event.Event{{Type: event.Complained, Complaint: event.Complaint{FeedbackType: "abuse"}, Recipients: []string{"b@example.org", "c@example.org"}, Details: map[string]string{"reportMessageId": "report@example.com"}}},
		},
		"without an action":         {reportMail("message/delivery-status", ofMessage+"Final-Recipient: rfc822; c@example.org\r\nStatus: 4.2.2\r\n"), []event.Event{{Type: event.Bounced, Recipient: "c@example.org", EnhancedCode: "4.2.2", Bounce: event.Bounce{Type: event.Soft, Category: event.CategoryMailboxFull}, Details: map[string]string{"reportMessageId": "report@example.com", "reportingMta": "out.example.com", "arrivalDate": details["arrivalDate"]}}}},
		"of no recipient":           {reportMail("message/delivery-status", ofMessage), nil},
		"with nothing in it":        {reportMail("message/delivery-status", ""), nil},
		"with a part that is none":  {reportMail("message/delivery-status", "hello, world\r\n"), nil},
		"that somebody forwards":    {"Content-Type: multipart/mixed; boundary=f\r\n\r\n--f\r\nContent-Type: message/rfc822\r\n\r\n" + reportMail("message/delivery-status", ofMessage+noSuchUser) + "\r\n--f--\r\n", nil},
		"within another one":        {reportMail("multipart/mixed; boundary=i", "--i\r\nContent-Type: message/delivery-status\r\n\r\n"+ofMessage+noSuchUser+"--i--\r\n"), nil},
		"by the parts alone":        {"Content-Type: multipart/mixed; boundary=f\r\n\r\n--f\r\nContent-Type: message/delivery-status\r\n\r\n" + ofMessage + noSuchUser + "--f--\r\n", nil},
		"that is a text":            {"Content-Type: multipart/report\r\n\r\n" + ofMessage + noSuchUser, nil},
		"a mail that is no report":  {mail, nil},
		"a report that is cut off":  {strings.TrimSuffix(reportMail("message/delivery-status", "Reporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; c@example.org\r\nAction: failed\r\nSta"), "--b--\r\n"), []event.Event{{Type: event.Bounced, Recipient: "c@example.org", Bounce: event.Bounce{Type: event.Undetermined}, Details: map[string]string{"action": "failed", "reportMessageId": "report@example.com", "reportingMta": "x"}}}},
		"bytes that are not UTF-8":  {reportMail("message/delivery-status", "Reporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; c@example.org\r\nAction: failed\r\nDiagnostic-Code: smtp; 550 ung\xfcltig\r\n"), []event.Event{{Type: event.Bounced, Recipient: "c@example.org", SMTPCode: 550, Diagnostic: "550 ung\ufffdltig", Bounce: event.Bounce{Type: event.Hard}, Details: map[string]string{"action": "failed", "reportMessageId": "report@example.com", "reportingMta": "x"}}}},
		"a diagnostic with a colon": {reportMail("message/delivery-status", "Reporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; c@example.org\r\nAction: failed\r\nDiagnostic-Code: X-Unix; not here; try later\r\n"), []event.Event{{Type: event.Bounced, Recipient: "c@example.org", Diagnostic: "not here; try later", Bounce: event.Bounce{Type: event.Undetermined}, Details: map[string]string{"action": "failed", "reportMessageId": "report@example.com", "reportingMta": "x"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, from := reports(t, c.mail)
			for i := range got {
				if got[i].ID == "" || got[i].ID == from.ID || got[i].Provider != "p" || got[i].ProviderEvent != "inbound" || !got[i].Time.Equal(from.Time) || !bytes.Equal(got[i].Raw, from.Raw) {
					t.Errorf("%+v", got[i])
				}
				got[i].ID, got[i].Provider, got[i].ProviderEvent, got[i].Time, got[i].Raw = "", "", "", time.Time{}, nil
			}
			if diff := cmp.Diff(c.want, got); diff != "" || from.Truncated {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestReportsInOtherEncodings has the same report as some servers and relays encode it.
func TestReportsInOtherEncodings(t *testing.T) {
	t.Parallel()
	plain, _ := reports(t, reportMail("message/delivery-status", ofMessage+noSuchUser, "message/rfc822", headersOnly))
	for name, mail := range map[string]string{
		"base64":                 reportMail("message/delivery-status\r\nContent-Transfer-Encoding: base64", base64Of(ofMessage+noSuchUser), "message/rfc822", headersOnly),
		"lines with LF":          strings.ReplaceAll(reportMail("message/delivery-status", ofMessage+noSuchUser, "message/rfc822", headersOnly), "\r\n", "\n"),
		"types in upper case":    strings.Replace(reportMail("MESSAGE/DELIVERY-STATUS", ofMessage+noSuchUser, "Message/RFC822", headersOnly), "multipart/report", "Multipart/Report", 1),
		"more blank lines":       reportMail("message/delivery-status", ofMessage+"\r\n"+noSuchUser+"\r\n\r\n", "message/rfc822", headersOnly),
		"parts in another order": reportMail("message/rfc822", headersOnly, "message/delivery-status", ofMessage+noSuchUser),
	} {
		got, _ := reports(t, mail)
		if diff := cmp.Diff(plain, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
}

// TestReportsAreBounded has reports of many recipients: what a stranger's mail becomes is a small multiple of it.
func TestReportsAreBounded(t *testing.T) {
	t.Parallel()
	many := ofMessage
	for i := range 5000 {
		many += fmt.Sprintf("Final-Recipient: rfc822; r%d@example.org\r\nAction: failed\r\n\r\n", i)
	}
	m, err := mime.Parse([]byte(reportMail("message/delivery-status", many)))
	if err != nil {
		t.Fatal(err)
	}
	for size, most := range map[int]int{2: 100, 64 << 10: 64, 1 << 20: 4, 3 << 20: 1, 20 << 20: 1} {
		from := of(strings.Repeat("x", size))
		if got := m.Reports(from, new(mime.ReportBudget)); len(got) != most || !from.Truncated {
			t.Errorf("%d events of a mail of %d bytes, truncated: %t", len(got), size, from.Truncated)
		}
	}
	long := "Final-Recipient: rfc822; c@example.org\r\nAction: failed\r\nDiagnostic-Code: smtp; " + strings.Repeat("x", 2000) + "\r\n\r\n"
	if got, from := reports(t, reportMail("message/delivery-status", ofMessage+strings.Repeat(long, 50))); len(got) < 20 || len(got) >= 50 || !from.Truncated {
		t.Errorf("%d events of a part that is too long, truncated: %t", len(got), from.Truncated)
	}
	if got, from := reports(t, reportMail("message/delivery-status", ofMessage+noSuchUser, "message/rfc822", headersOnly+"\r\n"+strings.Repeat("x\r\n", 100_000))); len(got) != 1 || from.Truncated || got[0].MessageID != "original@example.com" {
		t.Errorf("%d events of a report with a long message, truncated: %t", len(got), from.Truncated)
	}
}

// TestReportsOfARequestAreBounded has a thousand mails in one request, each of which becomes a hundred events alone.
func TestReportsOfARequestAreBounded(t *testing.T) {
	t.Parallel()
	m, err := mime.Parse([]byte(reportMail("message/delivery-status", ofMessage+strings.Repeat(noSuchUser, 100))))
	if err != nil {
		t.Fatal(err)
	}
	var budget mime.ReportBudget
	events, cut := 0, 0
	for range 1000 {
		from := of(strings.Repeat("x", 20<<10))
		got := m.Reports(from, &budget)
		if events += len(got); len(got) == 0 {
			t.Fatal("a mail lost its first report")
		}
		if from.Truncated {
			cut++
		}
	}
	if events > 1000+4<<20/(20<<10) || cut < 990 {
		t.Errorf("%d events of 1,000 mails, of which %d are marked", events, cut)
	}
}

// TestReportsOfEqualBlocks has blocks that say the same: each of them is a fact, and a retry of the mail says the same facts.
func TestReportsOfEqualBlocks(t *testing.T) {
	t.Parallel()
	mail := reportMail("message/delivery-status", ofMessage+noSuchUser+noSuchUser+strings.ReplaceAll(noSuchUser, "B@EXAMPLE", "c@example"))
	first, _ := reports(t, mail)
	again, _ := reports(t, mail)
	ids := map[string]bool{}
	for i := range first {
		ids[first[i].ID] = true
	}
	if len(ids) != 3 {
		t.Errorf("%d ids of 3 events", len(ids))
	}
	if diff := cmp.Diff(first, again); diff != "" {
		t.Error(diff)
	}
}

func FuzzReports(f *testing.F) {
	f.Add([]byte(reportMail("message/delivery-status", ofMessage+noSuchUser, "text/rfc822-headers", headersOnly)))
	f.Add([]byte(reportMail("message/feedback-report", "Feedback-Type: abuse\r\n")))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := mime.Parse(raw)
		if err != nil {
			return
		}
		from := of(`"raw"`)
		for _, e := range m.Reports(from, new(mime.ReportBudget)) {
			if e.ID == "" || e.Type == "" || e.Time.IsZero() {
				t.Errorf("%+v", e)
			}
			if _, err := event.Encode(&e, event.Source("mail", "x")); err != nil {
				t.Error(err)
			}
		}
	})
}

func base64Of(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

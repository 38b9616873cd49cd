package emailengine_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/event"
)

// mail returns a notice of a mail in a folder, which is an automatic reply by its headers.
func mail(folder, data string) string {
	return `{"account": "example", "date": "2022-01-17T11:44:46.934Z", "path": "` + folder + `", "event": "messageNew", "data": {"id": "AAA", "isAutoReply": true, ` + data + `}}`
}

// attachment returns an attachment as the setting notifyAttachments adds it.
func attachment(mediaType, content string) string {
	return `{"contentType": "` + mediaType + `", "content": "` + base64.StdEncoding.EncodeToString([]byte(content)) + `"}`
}

// TestReportsFoundInAMailbox: the mail stays what it is, and what it reports is an event beside it.
func TestReportsFoundInAMailbox(t *testing.T) {
	t.Parallel()
	const status = "Reporting-MTA: dns; mx.example.com\r\n\r\nFinal-Recipient: rfc822; <a@Example.com>\r\nAction: delayed\r\nDiagnostic-Code: smtp; 451 4.7.1 later\r\n"
	const original = "From: s@example.com\r\nTo: a@example.com\r\nMessage-ID: <m@example.com>\r\n\r\nbody"
	type outcome struct {
		Mail, Report         event.Type
		Recipient, MessageID string
		Enhanced             string
		Code                 int
	}
	for name, c := range map[string]struct {
		body string
		want outcome
	}{
		"automatic reply": {mail("INBOX", `"x": 1`), outcome{Mail: event.Autoresponded}},
		"delayed": {
			mail("INBOX", `"deliveryReport": {"action": "delayed", "status": "4.4.1", "finalRecipient": {"label": "rfc822", "value": "<a@Example.com>"}}, "relatedMessageId": "<m@example.com>"`),
			outcome{event.Received, event.Deferred, "a@example.com", "m@example.com", "4.4.1", 0},
		},
		"delivered, its recipient as a text": {
			mail("INBOX", `"deliveryReport": {"action": "Delivered", "status": "2.1.5", "originalRecipient": "rfc822;a@example.com", "diagnosticCode": "smtp; 250 2.1.5 Ok"}`),
			outcome{event.Received, event.Delivered, "a@example.com", "", "2.1.5", 250},
		},
		"relayed": {mail("INBOX", `"deliveryReport": {"action": "relayed"}`), outcome{Mail: event.Received, Report: event.Delivered}},
		"failed, which messageBounce does not tell": {
			mail("INBOX", `"deliveryReport": {"action": "failed", "status": "5.1.1", "finalRecipient": {"value": "a@example.com"}, "diagnosticCode": {"label": "smtp", "value": "550 5.1.1 no"}}`),
			outcome{event.Received, event.Bounced, "a@example.com", "", "5.1.1", 550},
		},
		"told by messageBounce as well": {
			mail("INBOX", `"isBounce": true, "deliveryReport": {"action": "delayed"}`), outcome{Mail: event.Received},
		},
		"in another folder": {
			mail("Junk", `"deliveryReport": {"action": "delayed", "finalRecipient": {"value": "a@example.com"}}`),
			outcome{Mail: event.MailboxMessageCreated, Report: event.Deferred, Recipient: "a@example.com"},
		},
		"what the report leaves out is in its parts": {
			mail("INBOX", `"deliveryReport": {"action": "delayed"}, "attachments": [`+attachment("message/delivery-status", status)+`,`+attachment("message/rfc822", original)+`]`),
			outcome{event.Received, event.Deferred, "a@example.com", "m@example.com", "4.7.1", 451},
		},
		"the recipient stands in the original alone": {
			mail("INBOX", `"deliveryReport": {"action": "delayed"}, "attachments": [`+attachment("Text/RFC822-Headers", original)+`]`),
			outcome{event.Received, event.Deferred, "a@example.com", "m@example.com", "", 0},
		},
		"parts that are no text": {
			mail("INBOX", `"deliveryReport": {"action": "delayed"}, "attachments": [{"contentType": "message/delivery-status", "content": "%%%"}, {"contentType": 5}, 7]`),
			outcome{Mail: event.Received, Report: event.Deferred},
		},
		"report that is no object":           {mail("INBOX", `"deliveryReport": "delayed"`), outcome{Mail: event.Received}},
		"report without an action":           {mail("INBOX", `"deliveryReport": {"status": "4.4.1"}`), outcome{Mail: event.Received}},
		"bounce":                             {mail("INBOX", `"isBounce": true`), outcome{Mail: event.Received}},
		"complaint":                          {mail("INBOX", `"isComplaint": true`), outcome{Mail: event.Received}},
		"report by its headers":              {mail("INBOX", `"headers": {"content-type": ["Multipart/Report; report-type=delivery-status"]}`), outcome{Mail: event.Received}},
		"report by its parts":                {mail("INBOX", `"attachments": [{"contentType": "message/delivery-status"}]`), outcome{Mail: event.Received}},
		"automatic reply with an attachment": {mail("INBOX", `"attachments": [{"contentType": "image/png"}]`), outcome{Mail: event.Autoresponded}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			events := decode(t, nil, c.body).Events
			got := outcome{Mail: events[0].Type}
			if len(events) == 2 {
				r := &events[1]
				got = outcome{events[0].Type, r.Type, r.Recipient, r.MessageID, r.EnhancedCode, r.SMTPCode}
				if r.ID == events[0].ID || r.ProviderMessageID != "" || r.Details["bounceMessage"] != "AAA" || r.Account != "example" || !r.Time.Equal(events[0].Time) {
					t.Errorf("the report: %+v", r)
				}
				if r.MessageID != "" && r.Key() != r.MessageID {
					t.Errorf("the report has the key %q, not that of the message that it is about", r.Key())
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestComplaintsAndTheirOpposite(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		data      string
		want      event.Type
		recipient string
	}{
		"abuse":                       {`"arf": {"feedbackType": "abuse", "originalRcptTo": ["<c@ISP.example>"]}`, event.Complained, "c@isp.example"},
		"not spam":                    {`"arf": {"feedbackType": "not-spam", "originalRcptTo": ["c@isp.example"]}`, event.Uncomplained, "c@isp.example"},
		"not spam in capitals":        {`"arf": {"feedbackType": "Not-Spam"}`, event.Uncomplained, ""},
		"any other type":              {`"arf": {"feedbackType": "fraud"}`, event.Complained, ""},
		"no type":                     {`"arf": {}`, event.Complained, ""},
		"only the removal recipient":  {`"arf": {"removalRecipient": ["<r@isp.example>"]}, "headers": {"to": ["h@isp.example"]}`, event.Complained, "r@isp.example"},
		"the first one of the header": {`"headers": {"to": ["H <h@isp.example>, i@isp.example"]}`, event.Complained, "h@isp.example"},
	} {
		e := decodeOne(t, notice("messageComplaint", "{"+c.data+"}"))
		if e.Type != c.want || e.Recipient != c.recipient {
			t.Errorf("%s: %s of %q, want %s of %q", name, e.Type, e.Recipient, c.want, c.recipient)
		}
	}
}

// TestWhatIsKnownOfTheOriginal: what the sender made up is metadata, under the sender's names.
func TestWhatIsKnownOfTheOriginal(t *testing.T) {
	t.Parallel()
	e := decodeOne(t, notice("messageBounce", `{"recipient": "<a@example.com>", "action": "failed", "messageHeaders": {
		"from": ["S <s@Example.com>"], "to": ["a@example.com, B <b@example.com>"], "cc": ["c@example.com"], "message-id": ["<m@example.com>"],
		"subject": ["=?utf-8?B?R3LDvMOfZQ==?="], "X-Order-Id": ["4711", "4712"], "x-note": ["=?x-unknown?Q?a?="], "received": ["by x-y"]}}`))
	type known struct {
		Sender, Subject, Recipient, MessageID string
		Recipients                            []string
		Metadata                              map[string]string
	}
	want := known{
		"s@example.com", "Grüße", "a@example.com", "m@example.com",
		[]string{"a@example.com", "b@example.com", "c@example.com"},
		map[string]string{"x-order-id": "4711", "x-note": "=?x-unknown?Q?a?="},
	}
	if diff := cmp.Diff(want, known{e.Sender, e.Subject, e.Recipient, e.MessageID, e.Recipients, e.Metadata}); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	alone := decodeOne(t, notice("messageBounce", `{"messageHeaders": {"to": ["a@example.com"]}}`))
	if alone.Recipient != "a@example.com" {
		t.Errorf("the only recipient is %q", alone.Recipient)
	}
}

func TestBlocklists(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ blocklist, names, types string }{
		"one":                  {`{"name": "Example", "type": "ip"}`, "Example", "ip"},
		"several":              {`{"lists": [{"name": "Example", "type": "ip"}, {"name": "Example ZEN", "type": "ip"}, {"name": "Other", "type": "domain"}]}`, "Example,Example ZEN,Other", "ip,domain"},
		"one in place of many": {`{"lists": {"name": "Example"}}`, "Example", ""},
		"none":                 {`{"lists": []}`, "", ""},
		"a text":               {`"Example"`, "", ""},
	} {
		e := decodeOne(t, notice("messageBounce", `{"response": {"blocklist": `+c.blocklist+`}}`))
		if e.Details["blocklist"] != c.names || e.Details["blocklist.type"] != c.types {
			t.Errorf("%s: %v", name, e.Details)
		}
	}
}

// TestAddressesInAnyForm has what mail libraries make of a header.
func TestAddressesInAnyForm(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ data, sender, recipients string }{
		"objects":             {`"from": {"address": "S@Example.COM"}, "to": [{"name": "A", "address": "a@example.com"}]`, "S@example.com", "a@example.com"},
		"text":                {`"from": "S <s@example.com>", "to": "A <a@example.com>; \"C; D\" <c@example.com>"`, "s@example.com", "a@example.com c@example.com"},
		"from as a list":      {`"from": [{"address": "s@example.com"}, {"address": "t@example.com"}]`, "s@example.com", ""},
		"group":               {`"to": [{"name": "Team", "group": [{"address": "a@example.com"}, {"address": "b@example.com"}]}]`, "", "a@example.com b@example.com"},
		"a list in one":       {`"to": [{"address": "a@example.com, b@example.com"}]`, "", "a@example.com b@example.com"},
		"to, cc and bcc":      {`"to": [{"address": "a@example.com"}], "cc": [{"address": "b@example.com"}], "bcc": [{"address": "c@example.com"}, {"address": "a@example.com"}]`, "", "a@example.com b@example.com c@example.com"},
		"undisclosed":         {`"to": [{"name": "undisclosed-recipients", "group": []}]`, "", ""},
		"nothing that is one": {`"from": 5.5, "to": [null, {}, []]`, "5.5", ""},
	} {
		e := decodeOne(t, notice("messageNew", "{"+c.data+"}"))
		if e.Sender != c.sender || strings.Join(e.Recipients, " ") != c.recipients {
			t.Errorf("%s: from %q to %q", name, e.Sender, e.Recipients)
		}
	}
}

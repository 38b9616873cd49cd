package amazonses_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/sns/snstest"
)

// bodyOf returns the body of a request in a file.
func bodyOf(t testing.TB, file io.Reader) []byte {
	t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// notification returns an envelope with a message.
func notification(message string) []byte {
	return []byte(fmt.Sprintf(`{"Type": "Notification", "MessageId": "m-1", "TopicArn": %q, "Message": %s, "Timestamp": "2026-01-02T03:04:05.678Z",
		"SignatureVersion": "1", "Signature": "c2lnbmF0dXJl", "SigningCertURL": "https://%s/a.pem", "UnsubscribeURL": "https://%s/?Action=Unsubscribe"}`,
		topicARN, quote(message), snsHost, snsHost))
}

func quote(text string) string {
	quoted, _ := json.Marshal(text)
	return string(quoted)
}

func decode(t testing.TB, body []byte) provider.Batch {
	t.Helper()
	w := webhook(t, `{"topicARNs": ["`+topicARN+`"]}`, provider.Environment{})
	return w.Decode(&provider.Request{Body: body, ReceivedAt: received()})
}

func decodeOne(t testing.TB, body []byte) event.Event {
	t.Helper()
	b := decode(t, body)
	if len(b.Events) != 1 || len(b.Undecodable) != 0 {
		t.Fatalf("%d events, undecodable %+v; want one event", len(b.Events), b.Undecodable)
	}
	return b.Events[0]
}

// TestUndecodable shows what becomes a dead letter, and why.
func TestUndecodable(t *testing.T) {
	t.Parallel()
	const bounce = `{"eventType": "Bounce", "bounce": {"bounceType": "Permanent", "bouncedRecipients": [{"emailAddress": "a@example.com"}]}, "mail": {}}`
	for name, c := range map[string]struct{ body, want, why string }{
		"another sentence":        {string(notification("Your budget is exceeded")), "the message is a text, and not one that Amazon SES sends", "something else was told to the topic"},
		"an empty message":        {string(notification("")), "the message is a text, and not one that Amazon SES sends", "nothing was told"},
		"a list":                  {string(notification(`[` + bounce + `]`)), "the message is a text, and not one that Amazon SES sends", "SES tells one event"},
		"of somebody else":        {string(notification(`{"AlarmName": "cpu"}`)), "none of eventType, notificationType and detail-type is there", "CloudWatch posts to topics as well"},
		"broken off":              {string(notification(bounce[:40])), "invalid JSON: ends early, at byte 40", "it may be read later"},
		"a type twice":            {string(notification(strings.Replace(bounce, "{", `{"eventType": "Open", `, 1))), `the member "eventType" occurs twice, with different values`, "nobody knows which"},
		"a recipient twice":       {string(notification(strings.Replace(bounce, `"emailAddress"`, `"emailAddress": "b@example.com", "emailAddress"`, 1))), `the member "emailAddress" occurs twice, with different values`, "nobody knows who"},
		"no message id":           {strings.Replace(string(notification(bounce)), "MessageId", "messageId", 1), "the member MessageId is missing", "it tells messages apart"},
		"another type":            {strings.Replace(string(notification(bounce)), "Notification", "Alarm", 1), "the member Type is none that SNS documents", "nobody knows what it is"},
		"no envelope":             {bounce, "it has no envelope of SNS, and the settings do not allow for that", "raw delivery is not expected"},
		"an envelope in a list":   {"[" + string(notification(bounce)) + "]", "expected a JSON object", "SNS posts one message"},
		"nothing":                 {"", "expected a JSON object", "SNS posts something"},
		"too many recipients":     {string(notification(strings.Replace(bounce, `{"emailAddress": "a@example.com"}`, strings.Repeat("{},", 50_000)+"{}", 1))), "more than 50000 recipients in one request", "SES has 50 in a message"},
		"too much for recipients": {string(notification(strings.Replace(strings.Replace(bounce, `{"emailAddress": "a@example.com"}`, strings.Repeat("{},", 999)+"{}", 1), `"mail": {`, `"mail": {"x": "`+strings.Repeat("x", 9000)+`"`, 1))), "would be more than 128 times as large as the request", "each has a copy of all the rest"},
	} {
		b := decode(t, []byte(c.body))
		if len(b.Events) != 0 || len(b.Undecodable) != 1 || !strings.Contains(b.Undecodable[0].Reason, c.want) {
			t.Errorf("%s: %d events, undecodable %.300v; want %q: %s", name, len(b.Events), b.Undecodable, c.want, c.why)
		}
	}
}

// TestOddities has one row for each oddity of the pages.
func TestOddities(t *testing.T) {
	t.Parallel()
	const mail = `"mail": {"timestamp": "2026-01-02T03:04:00.123Z", "messageId": "m", "source": "s@example.com", "destination": ["a@example.com", "b@example.com"]`
	type facts struct {
		Type       event.Type
		Recipient  string
		Recipients []string
		MessageID  string
		Reason     string
		SMTPCode   int
		Enhanced   string
		Bounce     event.Bounce
		Time       string
	}
	both := []string{"a@example.com", "b@example.com"}
	for name, c := range map[string]struct {
		why, message string
		want         facts
	}{
		"an unknown event": {
			"SES adds some", `{"eventType": "Teleport", "teleport": {"timestamp": "2026-01-02T03:04:05Z"}, ` + mail + `}}`,
			facts{Type: event.Unknown, Recipients: both, Time: "2026-01-02T03:04:00.123Z"},
		},
		"an unknown subtype": {
			"SES adds some", `{"eventType": "Bounce", "bounce": {"bounceType": "Permanent", "bounceSubType": "Quantum", "bouncedRecipients": [{"emailAddress": "a@example.com"}]}, ` + mail + `}}`,
			facts{Type: event.Bounced, Recipient: "a@example.com", Recipients: both, Reason: "Quantum", Bounce: event.Bounce{Type: event.Hard, Category: event.CategoryOther}, Time: "2026-01-02T03:04:00.123Z"},
		},
		"a bounce of nobody": {
			"an item is an event", `{"eventType": "Bounce", "bounce": {"bounceType": "Transient", "bounceSubType": "General", "bouncedRecipients": []}, ` + mail + `}}`,
			facts{Type: event.Bounced, Recipients: both, Reason: "General", Bounce: event.Bounce{Type: event.Soft, Category: event.CategoryOther}, Time: "2026-01-02T03:04:00.123Z"},
		},
		"suppressed by Amazon": {
			"nobody tried", `{"eventType": "Bounce", "bounce": {"bounceType": "Permanent", "bounceSubType": "Suppressed", "bouncedRecipients": [{"emailAddress": "a@example.com"}]}, ` + mail + `}}`,
			facts{Type: event.Rejected, Recipient: "a@example.com", Recipients: both, Reason: "Suppressed", Time: "2026-01-02T03:04:00.123Z"},
		},
		"a time with a blank and an offset": {
			"in the page on feedback notifications", `{"notificationType": "Delivery", "delivery": {"timestamp": "2018-10-08T14:05:45 +0000", "recipients": ["a@example.com"], "smtpResponse": "250 ok:  Message 64111812 accepted"}, ` + mail + `}}`,
			facts{Type: event.Delivered, Recipient: "a@example.com", Recipients: both, SMTPCode: 250, Time: "2018-10-08T14:05:45Z"},
		},
		"a delivery of one text": {
			"a text in place of a list", `{"eventType": "Delivery", "delivery": {"recipients": "A <a@Example.com>"}, ` + mail + `}}`,
			facts{Type: event.Delivered, Recipient: "a@example.com", Recipients: both, Time: "2026-01-02T03:04:00.123Z"},
		},
		"the id of SES as Message-ID": {
			"it has no domain, and the wire another", `{"eventType": "Send", "send": {}, ` + mail + `, "headers": [{"name": "Message-ID", "value": "m"}], "commonHeaders": {"messageId": "m"}}}`,
			facts{Type: event.Accepted, Recipients: both, Time: "2026-01-02T03:04:00.123Z"},
		},
		"a Message-ID of the sender's": {
			"the header has it, and commonHeaders the id of SES", `{"eventType": "Send", "send": {}, ` + mail + `, "headers": [{"name": "message-id", "value": "<x@example.com>"}], "commonHeaders": {"messageId": "m"}}}`,
			facts{Type: event.Accepted, Recipients: both, MessageID: "x@example.com", Time: "2026-01-02T03:04:00.123Z"},
		},
		"a code in another form": {
			"the status is a text of its own", `{"eventType": "DeliveryDelay", "deliveryDelay": {"delayType": "MailboxFull", "timestamp": "2026-01-02T03:04:05Z", "delayedRecipients": [{"emailAddress": "a@example.com", "status": "4.2.2", "diagnosticCode": "smtp;452 full"}]}, ` + mail + `}}`,
			facts{Type: event.Deferred, Recipient: "a@example.com", Recipients: both, Reason: "MailboxFull", SMTPCode: 452, Enhanced: "4.2.2", Time: "2026-01-02T03:04:05Z"},
		},
		"a name in other letters": {
			"pages differ", `{"eventType": "renderingFailure", ` + mail + `}}`,
			facts{Type: event.Unknown, Recipients: both, Time: "2026-01-02T03:04:00.123Z"},
		},
		"rendering failure without the blank": {
			"names of the API", `{"eventType": "RENDERING_FAILURE", "failure": {"errorMessage": "no"}, ` + mail + `}}`,
			facts{Type: event.Failed, Recipients: both, Reason: "no", Time: "2026-01-02T03:04:00.123Z"},
		},
		"preferences that stay": {
			"neither left nor joined", `{"eventType": "Subscription", "subscription": {"newTopicPreferences": {"unsubscribeAll": false}, "oldTopicPreferences": {"unsubscribeAll": false}}, ` + mail + `}}`,
			facts{Type: event.Unknown, Recipients: both, Time: "2026-01-02T03:04:00.123Z"},
		},
		"back from all": {
			"the reverse of unsubscribeAll", `{"eventType": "Subscription", "subscription": {"newTopicPreferences": {"unsubscribeAll": false}, "oldTopicPreferences": {"unsubscribeAll": true}}, ` + mail + `}}`,
			facts{Type: event.Resubscribed, Recipients: both, Time: "2026-01-02T03:04:00.123Z"},
		},
		"one topic left, one joined": {
			"not to send is the safe side", `{"eventType": "Subscription", "subscription": {"newTopicPreferences": {"topicSubscriptionStatus": [{"topicName": "a", "subscriptionStatus": "OptIn"}, {"topicName": "b", "subscriptionStatus": "OptOut"}]}, "oldTopicPreferences": {"topicSubscriptionStatus": [{"topicName": "a", "subscriptionStatus": "OptOut"}, {"topicName": "b", "subscriptionStatus": "OptIn"}]}}, ` + mail + `}}`,
			facts{Type: event.Unsubscribed, Recipients: both, Time: "2026-01-02T03:04:00.123Z"},
		},
		"sending is off": {
			"EventBridge tells of the account", `{"version": "0", "id": "e-1", "detail-type": "Sending Status Disabled", "source": "aws.ses", "account": "123456789012", "time": "2026-01-02T03:04:05Z", "detail": {"version": "1.0.0"}}`,
			facts{Type: event.AccountStatusChanged, Time: "2026-01-02T03:04:05Z"},
		},
		"an advice": {
			"it is about no message", `{"detail-type": "Advisor Recommendation Status Open", "source": "aws.ses", "time": "2026-01-02T03:04:05Z", "detail": {}}`,
			facts{Type: event.Unknown, Time: "2026-01-02T03:04:05Z"},
		},
		"no time at all": {
			"the envelope has one", `{"eventType": "Open"}`, facts{Type: event.Opened, Time: "2026-01-02T03:04:05.678Z"},
		},
	} {
		e := decodeOne(t, notification(c.message))
		got := facts{e.Type, e.Recipient, e.Recipients, e.MessageID, e.Reason, e.SMTPCode, e.EnhancedCode, e.Bounce, e.Time.Format(time.RFC3339Nano)}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s, %s: -want +got:\n%s", name, c.why, diff)
		}
	}
}

// TestSubtypes has every bounce type and subtype of the page.
func TestSubtypes(t *testing.T) {
	t.Parallel()
	for subtype, want := range map[string]string{
		"Undetermined/Undetermined": "email.bounced undetermined other", "Permanent/General": "email.bounced hard other",
		"Permanent/NoEmail": "email.bounced hard user_unknown", "Permanent/Suppressed": "email.rejected suppressed_bounce",
		"Permanent/OnAccountSuppressionList": "email.rejected suppressed_bounce", "Transient/General": "email.bounced soft other",
		"Transient/MailboxFull": "email.bounced soft mailbox_full", "Transient/MessageTooLarge": "email.bounced soft content",
		"Transient/ContentRejected": "email.bounced soft content", "Transient/AttachmentRejected": "email.bounced soft content",
	} {
		kind, sub, _ := strings.Cut(subtype, "/")
		e := decodeOne(t, notification(`{"eventType": "Bounce", "bounce": {"bounceType": "`+kind+`", "bounceSubType": "`+sub+`", "bouncedRecipients": [{"emailAddress": "a@example.com"}]}}`))
		got := strings.TrimRight(fmt.Sprint(e.Type, " ", e.Bounce.Type, e.Reject.Reason, " ", e.Bounce.Category), " ")
		if got != want {
			t.Errorf("%s: %s, want %s", subtype, got, want)
		}
	}
}

// TestIdentity shows which messages are one event and which are two.
func TestIdentity(t *testing.T) {
	t.Parallel()
	const bounce = `{"eventType": "Bounce", "bounce": {"feedbackId": "f-1", "bouncedRecipients": [{"emailAddress": "a@example.com"}, {"emailAddress": "b@example.com"}]}, "mail": {"messageId": "m"}}`
	id := func(body []byte, n int) string { return decode(t, body).Events[n].ID }
	retried := snstest.Edit(notification(bounce), "/Signature", "b3RoZXI=")
	feedback := snstest.Edit(notification(strings.Replace(bounce, "eventType", "notificationType", 1)), "/MessageId", "m-2")
	twice := notification(strings.Replace(bounce, "b@", "a@", 1))
	for name, c := range map[string]struct {
		a, b string
		same bool
	}{
		"sent again":                    {id(notification(bounce), 0), id(retried, 0), true},
		"two recipients":                {id(notification(bounce), 0), id(notification(bounce), 1), false},
		"another message":               {id(notification(bounce), 0), id(snstest.Edit(notification(bounce), "/MessageId", "m-2"), 0), false},
		"one recipient twice":           {id(twice, 0), id(twice, 1), false},
		"by both ways of notifications": {id(notification(bounce), 0), id(feedback, 0), false},
	} {
		if (c.a == c.b) != c.same {
			t.Errorf("%s: one event: %v, want %v", name, c.a == c.b, c.same)
		}
	}
	// What both say of it is what they can be told to be one by.
	one, other := decode(t, notification(bounce)).Events[0], decode(t, feedback).Events[0]
	if one.ProviderEventID != "f-1" || other.ProviderEventID != "f-1" || one.Details["notificationType"] != "" || other.Details["notificationType"] != "Bounce" {
		t.Errorf("the two ways cannot be told apart, or their facts not be matched: %+v and %+v", one, other)
	}
	if one.Key() != "m" || other.Key() != "m" {
		t.Errorf("keys %q and %q: events of one message have one", one.Key(), other.Key())
	}
}

// TestNoCredentialLeaves looks for what ends or begins a subscription in all that an event keeps.
func TestNoCredentialLeaves(t *testing.T) {
	t.Parallel()
	for _, names := range [][]string{{"Signature", "Token", "SubscribeURL", "UnsubscribeURL"}, {"signature", "TOKEN", "SubscribeUrl", "UnsubscribeUrl"}} {
		for _, kind := range []string{"Notification", "UnsubscribeConfirmation"} {
			body := fmt.Sprintf(`{"Type": %q, "MessageId": "m-1", "TopicArn": %q, "Message": "{\"eventType\": \"Open\"}", "Timestamp": "2026-01-02T03:04:05.678Z"`, kind, topicARN)
			for _, name := range names {
				body += fmt.Sprintf(`, %q: "secret-word"`, name)
			}
			e := decodeOne(t, []byte(body+"}"))
			encoded, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(encoded), "secret-word") || len(e.Raw) < 100 {
				t.Errorf("%s: %s", kind, encoded)
			}
		}
	}
}

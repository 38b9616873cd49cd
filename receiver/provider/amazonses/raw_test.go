package amazonses_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/sns/snstest"
)

func withID(id string) http.Header {
	return http.Header{"X-Amz-Sns-Message-Id": {id}, "X-Amz-Sns-Rawdelivery": {"true"}, "X-Amz-Sns-Topic-Arn": {topicARN}}
}

// TestRawDelivery has messages without an envelope, which are taken and not signed.
func TestRawDelivery(t *testing.T) {
	t.Parallel()
	raw := webhook(t, settingsOf(t, `, "rawDelivery": true`, demoCertificate(t)), provider.Environment{})
	signed := webhook(t, settingsOf(t, "", demoCertificate(t)), provider.Environment{})
	for w, want := range map[provider.Webhook]bool{raw: false, signed: true} {
		a, ok := w.(provider.Authenticator)
		if !ok || a.Authenticates() != want {
			t.Errorf("authenticates: %v, want %v", ok && a.Authenticates(), want)
		}
	}
	message, _ := snstest.Open(sampleBody(t, "delivery"))
	const sentence = "Successfully validated SNS topic for Amazon SES event publishing."
	for name, c := range map[string]struct {
		body   string
		accept bool
		events int
		why    string
	}{
		"a message":            {string(message), true, 2, "an event of SES"},
		"the sentence":         {sentence, true, 1, "event publishing was set up"},
		"another sentence":     {"hello", true, 0, "a dead letter"},
		"an envelope":          {string(sampleBody(t, "delivery")), true, 2, "confirmations are never raw"},
		"a forged envelope":    {strings.Replace(string(sampleBody(t, "delivery")), "first@", "other@", 1), false, 0, "what pretends to be signed is checked"},
		"an unsigned envelope": {`{"Type": "Notification", "MessageId": "m", "Message": "{}"}`, false, 0, "what pretends to be signed is checked"},
		"a type that is none":  {`{"Type": null, "eventType": "Open"}`, false, 0, "what pretends to be signed is checked"},
		"a type that is hidden": {
			`{"\u0054ype": "SubscriptionConfirmation", "MessageId": "m", "eventType": "Open"}`, false, 0, "what pretends to be signed is checked",
		},
		"a name twice": {`{"Type": "Notification", "Type": "Notification", "MessageId": "m", "Message": "{}"}`, false, 0, "what pretends to be signed is checked"},
	} {
		r := &provider.Request{Header: withID("m-1"), Body: []byte(c.body), ReceivedAt: received()}
		_, err := raw.Verify(t.Context(), r)
		if (err == nil) != c.accept {
			t.Errorf("%s: %v, want accepted: %v: %s", name, err, c.accept, c.why)
			continue
		}
		if _, err := signed.Verify(t.Context(), r); (err == nil) != strings.Contains(c.body, `"Signature" :`) && c.accept {
			t.Errorf("%s, where raw delivery is not expected: %v", name, err)
		}
		if b := raw.Decode(r); c.accept && len(b.Events) != c.events {
			t.Errorf("%s: %d events, %+v; want %d: %s", name, len(b.Events), b.Undecodable, c.events, c.why)
		}
	}
}

// TestRawIdentity has ids that nobody signed.
func TestRawIdentity(t *testing.T) {
	t.Parallel()
	w := webhook(t, settingsOf(t, `, "rawDelivery": true`, demoCertificate(t)), provider.Environment{})
	envelope := sampleBody(t, "open")
	message, _ := snstest.Open(envelope)
	const signedID = "00000011-0000-5000-8000-000000000011"
	if !strings.Contains(string(envelope), signedID) {
		t.Fatal("the sample has another id")
	}
	id := func(body []byte, h http.Header) string {
		b := w.Decode(&provider.Request{Header: h, Body: body, ReceivedAt: received()})
		if len(b.Events) != 1 {
			t.Fatalf("%+v", b)
		}
		return b.Events[0].ID
	}
	sentence := []byte("Successfully validated SNS topic for Amazon SES event publishing.")
	opened := []byte(strings.Replace(string(message), "192.0.2.1", "192.0.2.2", 1))
	for name, c := range map[string]struct {
		a, b string
		same bool
	}{
		"sent again":                     {id(message, withID("m-1")), id(message, withID("m-1")), true},
		"another message":                {id(message, withID("m-1")), id(message, withID("m-2")), false},
		"one id, two messages":           {id(message, withID("m-1")), id(opened, withID("m-1")), false},
		"an unsigned id, a signed one":   {id(message, withID(signedID)), id(envelope, withID(signedID)), false},
		"no header, none that is an id":  {id(message, nil), id(message, withID("<script>")), true},
		"the sentence again":             {id(sentence, withID("m-1")), id(sentence, withID("m-1")), true},
		"the sentence for another topic": {id(sentence, withID("m-1")), id(sentence, withID("m-2")), false},
	} {
		if (c.a == c.b) != c.same {
			t.Errorf("%s: one event: %v, want %v", name, c.a == c.b, c.same)
		}
	}
	for _, body := range [][]byte{message, sentence} {
		r := &provider.Request{Header: withID("m-1"), Body: body, ReceivedAt: received()}
		events := w.Decode(r).Events
		r.Body = events[0].Raw
		if diff := cmp.Diff(events, w.Decode(r).Events); diff != "" {
			t.Errorf("decoded again from raw:\n%s", diff)
		}
	}
}

// TestEventBridge has what an API destination posts: the envelope of EventBridge, and its detail alone where a rule takes that out.
func TestEventBridge(t *testing.T) {
	t.Parallel()
	w := webhook(t, settingsOf(t, `, "rawDelivery": true`, demoCertificate(t)), provider.Environment{})
	envelope, _ := snstest.Open(sampleBody(t, "eventbridge-bounce"))
	for name, body := range map[string][]byte{"envelope": envelope, "detail": detail(t, envelope)} {
		r := &provider.Request{Header: http.Header{"User-Agent": {"Amazon/EventBridge/ApiDestinations"}}, Body: body, ReceivedAt: received()}
		if _, err := w.Verify(t.Context(), r); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		events := w.Decode(r).Events
		if len(events) != 2 || events[0].Recipient != "first@example.com" || events[1].Recipient != "second@example.com" || events[0].Type != event.Bounced || events[0].ID == events[1].ID {
			t.Fatalf("%s: %+v", name, events)
		}
		for i := range events {
			r.Body = events[i].Raw
			if diff := cmp.Diff(events[i:i+1], w.Decode(r).Events); diff != "" {
				t.Errorf("%s, decoded again from raw:\n%s", name, diff)
			}
		}
	}
	other := []byte(strings.Replace(string(envelope), "c3d4e5f6", "d3d4e5f6", 1))
	if w.Decode(&provider.Request{Body: envelope, ReceivedAt: received()}).Events[0].ID == w.Decode(&provider.Request{Body: other, ReceivedAt: received()}).Events[0].ID {
		t.Error("two events of EventBridge have one id")
	}
}

// detail returns the detail of an event of EventBridge.
func detail(t testing.TB, envelope []byte) []byte {
	t.Helper()
	var e struct{ Detail json.RawMessage }
	if err := json.Unmarshal(envelope, &e); err != nil {
		t.Fatal(err)
	}
	return e.Detail
}

// TestRecipientsAreToldApart has what is said of one recipient alone, which must not be said of the others.
func TestRecipientsAreToldApart(t *testing.T) {
	t.Parallel()
	w := webhook(t, `{"topicARNs": ["`+topicARN+`"], "rawDelivery": true}`, provider.Environment{})
	body := `{"eventType": "Bounce", "mail": {"messageId": "m1", "sourceIp": "192.0.2.7"}, "bounce": {"bounceType": "Permanent", "bounceSubType": "NoEmail", "timestamp": "2026-01-02T03:04:05Z",
		"bouncedRecipients": [{"emailAddress": "a@example.com", "action": "failed"}, {"emailAddress": "b@example.com", "action": "delayed"}, {"emailAddress": "c@example.com"}]}}`
	events := w.Decode(&provider.Request{Body: []byte(body), ReceivedAt: received()}).Events
	var got []string
	for _, e := range events {
		got = append(got, e.Recipient+" "+e.Details["action"]+" "+e.Details["sourceIp"])
	}
	if diff := cmp.Diff([]string{"a@example.com failed 192.0.2.7", "b@example.com delayed 192.0.2.7", "c@example.com  192.0.2.7"}, got); diff != "" {
		t.Error(diff)
	}
}

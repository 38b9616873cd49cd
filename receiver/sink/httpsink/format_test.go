package httpsink

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/mailvane/mailvane/receiver/config"
	shaping "github.com/mailvane/mailvane/receiver/content"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/sinktest"
)

// messageOf is an event on its way to a sink.
func messageOf(t *testing.T, e *event.Event) sink.Message {
	t.Helper()
	envelope, err := event.Encode(e, event.Source("mail", "in"))
	if err != nil {
		t.Fatal(err)
	}
	return sink.Message{ID: e.ID, Envelope: envelope}
}

func hardBounce() *event.Event {
	return &event.Event{
		ID: "a1", Type: event.Bounced, Provider: "Postmark", ProviderEvent: "HardBounce", Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Recipient: "recipient@example.com", MessageID: "m1@example.com", SMTPCode: 550, Reason: `5.1.1 <recipient@example.com> "unknown" & gone`,
		Bounce: event.Bounce{Type: event.Hard, Category: event.CategoryUserUnknown}, Metadata: map[string]string{"X-Listmonk-Campaign": "9f86b50d-5711-41c8-ab03-bc91c43d711b"},
		Raw: []byte(`{"RecordType":"Bounce","ID":692560173}`),
	}
}

// withBody opens a sink whose body is as the JSON says.
func withBody(t *testing.T, url, body string) *httpSink {
	t.Helper()
	s, err := newSink(fmt.Appendf(nil, `{"url":%q,"signingSecrets":[%q],"body":%s}`, url, testSecret, body), sink.Environment{}, clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() }) //nolint:errcheck // it returns nil
	return s
}

func template(expression string) string {
	return fmt.Sprintf(`{"type":"Template","template":%q}`, expression)
}

// TestTemplatesAreConformant runs the suite with a template that keeps the id.
func TestTemplatesAreConformant(t *testing.T) {
	t.Parallel()
	sinktest.Run(t, func(t *testing.T) sinktest.Harness {
		d := newDestination(t)
		stalled := make(chan struct{})
		t.Cleanup(func() { close(stalled) })
		return sinktest.Harness{
			Kind: Kind(), Received: d.ids,
			Settings: fmt.Sprintf(`{"url":%q,"headers":[{"name":"Authorization","secret":"Bearer %s"}],"body":%s}`, d.URL, testToken, template(`{"id": event.id}`)),
			Break: func(*testing.T) {
				d.answer(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
			},
			Mend: func(*testing.T) { d.answer(nil) },
			Fail: d.failures(), Batches: d.batches, Secrets: []string{testToken},
			Stall: func(*testing.T) { d.answer(func(http.ResponseWriter, *http.Request) { <-stalled }) },
		}
	})
}

// TestBodies looks at the request of each type of body.
func TestBodies(t *testing.T) {
	t.Parallel()
	formKept := *hardBounce()
	formKept.Provider, formKept.Raw = "SMTP2GO", []byte(`{"mediaType":"application/x-www-form-urlencoded","fields":[{"name":"event","value":"bounce & more"},{"name":"event","value":"2"}]}`)
	textKept := *hardBounce()
	textKept.Raw = []byte(`{"mediaType":"application/json","text":"{\"a\":1,\"a\":2}"}`)
	bytesKept := *hardBounce()
	bytesKept.Raw = []byte(`{"mediaType":"application/json","base64":"eyJhIjoi/yJ9"}`)
	plain := *hardBounce()
	plain.Raw = []byte(`{"mediaType":"text/plain","text":"Successfully validated"}`)
	own := *hardBounce()
	own.Raw = []byte(`{"mediaType":"application/json","text":"a","more":1}`)
	sns := *hardBounce()
	sns.Provider, sns.Raw = "AmazonSES", []byte(`{"Type":"Notification","MessageId":"m-1","TopicArn":"arn:aws:sns:eu-west-1:123456789012:ses","Message":"{}","Signature":"kept"}`)
	for name, tc := range map[string]struct {
		reason     string
		event      *event.Event
		body, want string
		header     http.Header
	}{
		"template":    {"what the expression makes", hardBounce(), template(`{"email": event.recipient, "hard": event.bounce.type == "hard"}`), `{"email":"recipient@example.com","hard":true}`, http.Header{"Content-Type": {"application/json"}}},
		"raw":         {"token for token", hardBounce(), `{"type":"Raw"}`, `{"RecordType":"Bounce","ID":692560173}`, http.Header{"Content-Type": {"application/json"}, "Ce-Id": nil}},
		"raw form":    {"a form is one again, in its order", &formKept, `{"type":"Raw"}`, `event=bounce+%26+more&event=2`, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}},
		"raw text":    {"JSON that not every reader takes is as it came", &textKept, `{"type":"Raw"}`, `{"a":1,"a":2}`, http.Header{"Content-Type": {"application/json"}}},
		"raw bytes":   {"as above", &bytesKept, `{"type":"Raw"}`, "{\"a\":\"\xff\"}", http.Header{"Content-Type": {"application/json"}}},
		"raw, plain":  {"a text is one", &plain, `{"type":"Raw"}`, "Successfully validated", http.Header{"Content-Type": {"text/plain"}}},
		"raw, own":    {"a provider may have these names itself", &own, `{"type":"Raw"}`, string(own.Raw), http.Header{"Content-Type": {"application/json"}}},
		"raw of SNS":  {"readers go by the headers", &sns, `{"type":"Raw"}`, string(sns.Raw), http.Header{"Content-Type": {"text/plain; charset=UTF-8"}, "X-Amz-Sns-Message-Type": {"Notification"}, "X-Amz-Sns-Message-Id": {"m-1"}, "X-Amz-Sns-Topic-Arn": {"arn:aws:sns:eu-west-1:123456789012:ses"}}},
		"CloudEvents": {"the default, written out", hardBounce(), `{"type":"CloudEvents"}`, string(messageOf(t, hardBounce()).Envelope), http.Header{"Content-Type": {structuredType}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDestination(t)
			if err := withBody(t, d.URL, tc.body).Send(t.Context(), sink.NewBatch([]sink.Message{messageOf(t, tc.event)})); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, string(d.bodies[0])); diff != "" {
				t.Errorf("%s: %s", tc.reason, diff)
			}
			r := d.requests[0]
			for name, want := range tc.header {
				if diff := cmp.Diff(want, r.Header[name]); diff != "" {
					t.Errorf("%s: %s: %s", tc.reason, name, diff)
				}
			}
			signed := http.Header{}
			sign(signed, [][]byte{mustDecode(t, testSecret)}, "a1", clock(), single(d.bodies[0]))
			if got := r.Header.Get("Webhook-Signature"); got != signed.Get("Webhook-Signature") || r.Header.Get("Webhook-Id") != "a1" {
				t.Errorf("id %s and signature %q do not fit the body", r.Header.Get("Webhook-Id"), got)
			}
		})
	}
}

// TestWhatFailsForAnEvent has bodies that cannot be made of an event: it alone is given up, and nothing of it is told.
func TestWhatFailsForAnEvent(t *testing.T) {
	t.Parallel()
	noRaw := *hardBounce()
	noRaw.Raw = nil
	brokenForm := *hardBounce()
	brokenForm.Raw = []byte(`{"mediaType":"text/html","fields":[]}`)
	for name, tc := range map[string]struct {
		body, want string
		message    sink.Message
	}{
		"an expression":       {template(`{"code": int(event.recipient)}`), "body.template: it converts a value", messageOf(t, hardBounce())},
		"no raw":              {`{"type":"Raw"}`, "the event has no raw", messageOf(t, &noRaw)},
		"an odd form":         {`{"type":"Raw"}`, "what was kept of a form cannot be read", messageOf(t, &brokenForm)},
		"no event":            {template(`{"a": 1}`), "not a CloudEvent", sink.Message{ID: "1", Envelope: []byte(`{"id":`)}},
		"no event, raw":       {`{"type":"Raw"}`, "not a CloudEvent", sink.Message{ID: "1", Envelope: []byte(`{"id":`)}},
		"a record of another": {template(`{"a": 1}`), "not a CloudEvent", sink.Message{ID: "1", Envelope: []byte(`{"id":"1","data":[]}`)}},
	} {
		d := newDestination(t)
		s := withBody(t, d.URL, tc.body)
		err := s.Send(t.Context(), sink.NewBatch([]sink.Message{tc.message}))
		if !sink.IsPermanent(err) || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "example.com") {
			t.Errorf("%s: %v, want a permanent error with %q", name, err, tc.want)
		}
		if s.MaxBatch() != 1 {
			t.Errorf("%s: an event that fails takes %d others with it", name, s.MaxBatch()-1)
		}
		if len(d.bodies) > 0 {
			t.Errorf("%s: %s is sent", name, d.bodies)
		}
	}
}

// TestATemplateSeesWhatASinkMayHave has content applied before the template.
func TestATemplateSeesWhatASinkMayHave(t *testing.T) {
	t.Parallel()
	c, err := shaping.New(&config.Content{Raw: config.ContentDrop, Fields: []config.ContentField{{Name: "recipient", As: config.ContentMask}}})
	if err != nil {
		t.Fatal(err)
	}
	shaped, err := c.Apply(messageOf(t, hardBounce()).Envelope)
	if err != nil {
		t.Fatal(err)
	}
	envelope, err := shaped.Encode()
	if err != nil {
		t.Fatal(err)
	}
	d := newDestination(t)
	message := sink.Message{ID: "a1", Envelope: envelope}
	if err := withBody(t, d.URL, template(`{"event": event, "to": event.recipient, "why": event.reason}`)).Send(t.Context(), sink.NewBatch([]sink.Message{message})); err != nil {
		t.Fatal(err)
	}
	if got := string(d.bodies[0]); strings.Contains(got, "recipient@example.com") || strings.Contains(got, "RecordType") || !strings.Contains(got, `"to":"r***@example.com"`) {
		t.Errorf("sent: %s", got)
	}
	if err := withBody(t, d.URL, `{"type":"Raw"}`).Send(t.Context(), sink.NewBatch([]sink.Message{message})); !sink.IsPermanent(err) || !strings.Contains(err.Error(), errNoRaw.Error()) {
		t.Errorf("raw that was dropped: %v", err)
	}
}

// readSample returns the settings of an HTTP sink of config/samples that reads no Secret, with another URL.
func readSample(t *testing.T, name, url string) []byte {
	t.Helper()
	text, err := os.ReadFile("../../../config/samples/sinks/" + name + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	for document := range strings.SplitSeq(string(text), "\n---\n") {
		var sinkObject struct {
			Kind string
			Spec struct {
				HTTP struct {
					Body struct{ Type, Template string }
				}
			}
		}
		if err := yaml.Unmarshal([]byte(document), &sinkObject); err != nil {
			t.Fatal(err)
		}
		if sinkObject.Kind == "EventSink" {
			return fmt.Appendf(nil, `{"url":%q,"body":{"type":%q,"template":%q}}`, url, sinkObject.Spec.HTTP.Body.Type, sinkObject.Spec.HTTP.Body.Template)
		}
	}
	t.Fatal(errors.New("the sample holds no EventSink"))
	return nil
}

// TestReadyTemplates sends events by the templates of the samples.
func TestReadyTemplates(t *testing.T) {
	t.Parallel()
	complaint := *hardBounce()
	complaint.Type, complaint.Bounce, complaint.Metadata, complaint.Provider = event.Complained, event.Bounce{}, nil, "AmazonSES"
	soft := *hardBounce()
	soft.Bounce.Type = event.Soft
	bare := event.Event{ID: "b1", Type: event.Delivered, Provider: "Postmark", Time: complaint.Time, Recipient: "<!channel>@example.com"}
	for name, tc := range map[string]struct {
		sample string
		event  *event.Event
		want   string
	}{
		// https://listmonk.app/docs/bounces/#webhook-api: email, source and type are required, meta is a text that holds JSON.
		"listmonk, hard":      {"http-listmonk", hardBounce(), `{"campaign_uuid":"9f86b50d-5711-41c8-ab03-bc91c43d711b","email":"recipient@example.com","meta":"{\"id\":\"a1\",\"provider\":\"Postmark\"}","source":"mailvane","type":"hard"}`},
		"listmonk, soft":      {"http-listmonk", &soft, `{"campaign_uuid":"9f86b50d-5711-41c8-ab03-bc91c43d711b","email":"recipient@example.com","meta":"{\"id\":\"a1\",\"provider\":\"Postmark\"}","source":"mailvane","type":"soft"}`},
		"listmonk, complaint": {"http-listmonk", &complaint, `{"campaign_uuid":"","email":"recipient@example.com","meta":"{\"id\":\"a1\",\"provider\":\"AmazonSES\"}","source":"mailvane","type":"complaint"}`},
		// https://docs.slack.dev/messaging/formatting-message-text/#escaping: & < > are the characters that Slack reads.
		"Slack":       {"http-slack", hardBounce(), `{"text":"*email.bounced* recipient@example.com (Postmark): 5.1.1 &lt;recipient@example.com&gt; \"unknown\" &amp; gone"}`},
		"Slack, bare": {"http-slack", &bare, `{"text":"*email.delivered* &lt;!channel&gt;@example.com (Postmark)"}`},
	} {
		d := newDestination(t)
		s, err := newSink(readSample(t, tc.sample, d.URL), sink.Environment{}, clock)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		defer s.Close() //nolint:errcheck // it returns nil
		if err := s.Send(t.Context(), sink.NewBatch([]sink.Message{messageOf(t, tc.event)})); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(tc.want, string(d.bodies[0])); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

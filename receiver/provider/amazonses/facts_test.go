package amazonses_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
	"github.com/mailvane/mailvane/receiver/provider/sns/snstest"
)

// TestVectorsOfAWS verifies messages that SNS signed, with its certificates fetched at the time and pinned.
func TestVectorsOfAWS(t *testing.T) {
	t.Parallel()
	p := &publisher{files: map[string]string{}}
	var pinned []string
	for _, path := range providertest.Facts(t, "vectors/ses-sns/*.pem") {
		text := read(t, path)
		p.files["/"+filepath.Base(path)] = string(text)
		pinned = append(pinned, string(text))
	}
	for _, path := range providertest.Facts(t, "vectors/ses-sns/*.body.json") {
		body := read(t, path)
		var m struct {
			TopicArn  string
			Timestamp string
		}
		if err := json.Unmarshal(body, &m); err != nil {
			t.Fatal(err)
		}
		r := &provider.Request{Body: body, ReceivedAt: parseTime(t, m.Timestamp)}
		fetching := webhook(t, `{"topicARNs": ["`+m.TopicArn+`"]}`, p.environmentOf(t, strings.Split(m.TopicArn, ":")[3]))
		if _, err := fetching.Verify(t.Context(), r); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		pinning := webhook(t, strings.Replace(settingsOf(t, "", pinned...), topicARN, m.TopicArn, 1), provider.Environment{})
		if _, err := pinning.Verify(t.Context(), r); err != nil {
			t.Errorf("%s, pinned: %v", path, err)
		}
		if b := pinning.Decode(r); (len(b.Confirm) == 1) != strings.Contains(path, "confirmation") {
			t.Errorf("%s: %d calls", path, len(b.Confirm))
		}
		r.ReceivedAt = r.ReceivedAt.AddDate(10, 0, 0)
		if _, err := fetching.Verify(t.Context(), r); reason(err) != "unknown_key" {
			t.Errorf("%s, ten years later: %v, want the certificate to have expired", path, err)
		}
		for _, name := range []string{"Message", "MessageId", "Subject", "Timestamp", "Token", "SubscribeURL", "Type"} {
			tampered := &provider.Request{Body: snstest.Edit(body, "/"+name, "x"), ReceivedAt: r.ReceivedAt}
			if _, err := pinning.Verify(t.Context(), tampered); string(tampered.Body) != string(body) && reason(err) == "" {
				t.Errorf("%s: verified with another %s", path, name)
			}
		}
	}
}

// TestBodiesOfAWS decodes the examples of the pages.
func TestBodiesOfAWS(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]event.Type{
		"event-Bounce": event.Bounced, "event-Click": event.Clicked, "event-Complaint": event.Complained, "event-Delivery": event.Delivered,
		"event-DeliveryDelay": event.Deferred, "event-Open": event.Opened, "event-Reject": event.Rejected, "event-Send": event.Accepted,
		"notification-AmazonSnsSubscriptionSucceeded": event.Test, "notification-Bounce1": event.Bounced,
		"notification-Complaint1": event.Complained, "notification-Delivery1": event.Delivered, "notification-Received1": event.Received,
	} {
		for _, path := range providertest.Facts(t, "samples/ses/"+name+".message.json") {
			w := webhook(t, `{"topicARNs": ["`+topicARN+`"]}`, provider.Environment{})
			b := w.Decode(&provider.Request{Body: notification(string(read(t, path))), ReceivedAt: received().AddDate(1, 0, 0)})
			if len(b.Undecodable) != 0 || len(b.Events) == 0 {
				t.Errorf("%s: %d events, %d undecodable", path, len(b.Events), len(b.Undecodable))
				continue
			}
			if e := &b.Events[0]; e.Type != want || e.ProviderMessageID == "" && e.Type != event.Test || e.TimeImplausible {
				t.Errorf("%s: %s of %q at %v, want %s", path, e.Type, e.ProviderMessageID, e.Time, want)
			}
		}
	}
	if e := decodeOne(t, read(t, providertest.Facts(t, "samples/ses/sns-notification-wrapping-Bounce.body.json")[0])); e.Type != event.Bounced {
		t.Errorf("in its envelope: %s", e.Type)
	}
	raw := webhook(t, settingsOf(t, `, "rawDelivery": true`, demoCertificate(t)), provider.Environment{})
	b := raw.Decode(&provider.Request{Body: read(t, providertest.Facts(t, "samples/ses/eventbridge-EmailBounced.body.json")[0]), ReceivedAt: received()})
	if len(b.Events) != 1 || b.Events[0].Type != event.Bounced || b.Events[0].Recipient != "recipient@example.com" {
		t.Errorf("of EventBridge: %d events", len(b.Events))
	}
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

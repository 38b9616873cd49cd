package amazonses_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/internal/simulate/amazonses"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/sns/snstest"
)

// confirmation returns an envelope that asks for a subscription to be confirmed.
func confirmation(arn, address string) []byte {
	return []byte(fmt.Sprintf(`{"Type": "SubscriptionConfirmation", "MessageId": "m-1", "Token": "t0k3n", "TopicArn": %q,
		"Message": "You have chosen to subscribe to the topic.\nTo confirm the subscription, visit the SubscribeURL included in this message.",
		"SubscribeURL": %q, "Timestamp": "2026-01-02T03:04:05.678Z", "SignatureVersion": "1", "Signature": "", "SigningCertURL": "https://%s/a.pem"}`, arn, address, snsHost))
}

// TestConfirmation shows which calls are made for whom.
func TestConfirmation(t *testing.T) {
	t.Parallel()
	const query = "?Action=ConfirmSubscription&TopicArn=" + topicARN + "&Token=t0k3n"
	for name, c := range map[string]struct {
		arn, address string
		confirms     bool
	}{
		"as SNS writes it":        {topicARN, "https://" + snsHost + "/" + query, true},
		"in another order":        {topicARN, "https://" + snsHost + "/?Token=t0k3n&Action=ConfirmSubscription&TopicArn=" + topicARN, true},
		"escaped":                 {topicARN, "https://" + snsHost + "/?Action=ConfirmSubscription&TopicArn=arn%3Aaws%3Asns%3Aeu-west-1%3A123456789012%3Ases-events&Token=t0k3n", true},
		"a topic that is foreign": {"arn:aws:sns:eu-west-1:999999999999:t", "https://" + snsHost + "/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:eu-west-1:999999999999:t&Token=t0k3n", false},
		"for another topic":       {topicARN, "https://" + snsHost + "/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:eu-west-1:999999999999:t&Token=t0k3n", false},
		"for two topics":          {topicARN, "https://" + snsHost + "/" + query + "&TopicArn=arn:aws:sns:eu-west-1:999999999999:t", false},
		"another token":           {topicARN, "https://" + snsHost + "/?Action=ConfirmSubscription&TopicArn=" + topicARN + "&Token=other", false},
		"another action":          {topicARN, "https://" + snsHost + "/?Action=DeleteTopic&TopicArn=" + topicARN + "&Token=t0k3n", false},
		"two actions":             {topicARN, "https://" + snsHost + "/" + query + "&Action=DeleteTopic", false},
		"no query":                {topicARN, "https://" + snsHost + "/", false},
		"a broken query":          {topicARN, "https://" + snsHost + "/" + query + "&x=%zz", false},
		"another path":            {topicARN, "https://" + snsHost + "/admin" + query, false},
		"another region":          {topicARN, "https://sns.eu-west-2.amazonaws.com/" + query, false},
		"another host":            {topicARN, "https://evil.example/" + query, false},
		"a host behind it":        {topicARN, "https://" + snsHost + ".evil.example/" + query, false},
		"a user before it":        {topicARN, "https://" + snsHost + "@evil.example/" + query, false},
		"an address of the cloud": {topicARN, "https://169.254.169.254/" + query, false},
		"http":                    {topicARN, "http://" + snsHost + "/" + query, false},
		"another port":            {topicARN, "https://" + snsHost + ":9090/" + query, false},
		"no URL":                  {topicARN, "", false},
	} {
		for _, manual := range []bool{false, true} {
			settings, want := "Automatic", []provider.Confirmation(nil)
			if manual {
				settings = "Manual"
			}
			if c.confirms {
				want = []provider.Confirmation{{URL: c.address, Subject: topicARN, Manual: manual}}
			}
			w := webhook(t, `{"topicARNs": ["`+topicARN+`"], "confirmSubscriptions": "`+settings+`"}`, provider.Environment{})
			b := w.Decode(&provider.Request{Body: confirmation(c.arn, c.address), ReceivedAt: received()})
			if diff := cmp.Diff(want, b.Confirm); diff != "" || len(b.Events) != 0 || (len(b.Undecodable) == 0) != c.confirms {
				t.Errorf("%s, %s: %+v\n%s", name, settings, b, diff)
			}
		}
	}
}

// TestConfirmationIsSigned has one verified, and sees that the end of a subscription is never taken back.
func TestConfirmationIsSigned(t *testing.T) {
	t.Parallel()
	settings := settingsOf(t, "", demoCertificate(t))
	w := webhook(t, settings, provider.Environment{})
	r := &provider.Request{Body: confirmation(topicARN, "https://"+snsHost+"/?Action=ConfirmSubscription&TopicArn="+topicARN+"&Token=t0k3n"), ReceivedAt: received()}
	if err := amazonses.Sign([]byte(settings), snstest.DemoKey(), r); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Verify(t.Context(), r); err != nil || len(w.Decode(r).Confirm) != 1 {
		t.Errorf("%v, %+v", err, w.Decode(r))
	}
	for _, pointer := range []string{"/SubscribeURL", "/Token", "/Type"} {
		tampered := &provider.Request{Body: snstest.Edit(r.Body, pointer, "UnsubscribeConfirmation"), ReceivedAt: received()}
		if _, err := w.Verify(t.Context(), tampered); reason(err) == "" {
			t.Errorf("with another %s: verified", pointer)
		}
	}
	if b := w.Decode(&provider.Request{Body: sampleBody(t, "unsubscribe-confirmation"), ReceivedAt: received()}); len(b.Confirm) != 0 || len(b.Events) != 1 {
		t.Errorf("the end of a subscription: %+v", b)
	}
}

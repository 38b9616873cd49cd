package sendgrid_test

import (
	"bytes"
	"strconv"
	"testing"
	"time"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
	"github.com/mailvane/mailvane/receiver/provider/sendgrid"
)

// The keys of the samples, and others.
const (
	publicKey      = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEapc2QxfOShqxEzaYBJu8aI5lqOyLuAwsaVTuqmI3M+du4QmxhvA/ymWCm+EVCZD+mKCkrmW4PbYonPXH6t6fNA=="
	otherPublicKey = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE2SKQCz6p9BHOKF/rZR6IGZJFpT0gbvAmpII38tVG5hDVNQOC79n+2nW708ncNrBG9OFy0tTd8QnvpsQDDo0MQw=="
	signingKey     = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg5OhzF+EVNhNxhaO5
Yk33f2EJ/elARdiWlJBmamv79wehRANCAARqlzZDF85KGrETNpgEm7xojmWo7Iu4
DCxpVO6qYjcz527hCbGG8D/KZYKb4RUJkP6YoKSuZbg9tiic9cfq3p80
-----END PRIVATE KEY-----
`
	otherSigningKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgj+WiEWRbQ8AB1hHb
lH8B6m1lDzw41WJdReg6O7PBD7uhRANCAATZIpALPqn0Ec4oX+tlHogZkkWlPSBu
8Cakgjfy1UbmENU1A4Lv2f7adbvTydw2sEb04XLS1N3xCe+mxAMOjQxD
-----END PRIVATE KEY-----
`
)

func suite() providertest.Suite {
	return providertest.Suite{
		Retyped:           map[string]string{"email": "what a test imitates", "sg_message_id": "what a test imitates"},
		Kind:              sendgrid.Kind(),
		OtherSettings:     `{"publicKeys": ["` + otherPublicKey + `"]}`,
		RotationSettings:  `{"publicKeys": ["` + publicKey + `", "` + otherPublicKey + `"]}`,
		ToleranceSettings: `{"publicKeys": ["` + publicKey + `"], "toleranceSeconds": 300}`,
		SigningKey:        []byte(signingKey), OtherSigningKey: []byte(otherSigningKey),
		SignatureHeaders: []string{"X-Twilio-Email-Event-Webhook-Signature", "X-Twilio-Email-Event-Webhook-Timestamp"},
		SignedAt: func(r *provider.Request) time.Time {
			seconds, _ := strconv.ParseInt(r.Header.Get("X-Twilio-Email-Event-Webhook-Timestamp"), 10, 64)
			return time.Unix(seconds, 0)
		},
		Open:         open,
		KeepsUnknown: true,
		Volatile:     volatile(),
	}
}

// volatile are the names that SendGrid gives to events that are told apart by all else that it says, so that another name at a retry
// makes no other event.
func volatile() map[string]string {
	names := map[string]string{"batch.http/1/sg_event_id": "it may change between the attempts of one event"}
	for _, sample := range []string{
		"batch", "processed", "processed-marketing", "delivered", "deferred", "bounce", "bounce-blocked", "bounce-expired", "dropped-bounced", "dropped-invalid",
		"dropped-spamreport", "dropped-unsubscribed", "spamreport", "unsubscribe", "group_unsubscribe", "group_resubscribe",
	} {
		names[sample+".http/0/sg_event_id"] = "it may change between the attempts of one event"
	}
	return names
}

// open returns the JSON of a body. A form has none.
func open(body []byte) (inner []byte, replace func([]byte) []byte) {
	if bytes.HasPrefix(body, []byte("--")) {
		return nil, func([]byte) []byte { return body }
	}
	return body, func(inner []byte) []byte { return inner }
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	providertest.Run(t, suite())
}

func FuzzWebhook(f *testing.F) { providertest.Fuzz(f, suite()) }

func BenchmarkWebhook(b *testing.B) { providertest.Benchmark(b, suite(), "delivered", "inbound") }

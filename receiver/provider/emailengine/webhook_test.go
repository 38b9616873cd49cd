package emailengine_test

import (
	"testing"

	"github.com/mailvane/mailvane/receiver/provider/emailengine"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

// failed says why nothing but the queue id identifies a submission that failed.
const failed = "an earlier messageDeliveryError may have told the same, in other words"

func suite() providertest.Suite {
	return providertest.Suite{
		Retyped: map[string]string{
			"action":       "a bounce",
			"isBounce":     "a mail, whose report nobody else tells of",
			"isAutoReply":  "a mail",
			"labels":       "a message in some folder",
			"nextAttempt":  "the last attempt",
			"smtpCommand":  "a failure of the connection",
			"feedbackType": "a complaint, which may be its opposite",
		},
		Kind:             emailengine.Kind(),
		OtherSettings:    `{"serviceSecrets": ["other-service-secret"]}`,
		RotationSettings: `{"serviceSecrets": ["0123456789abcdef0123456789abcdef", "other-service-secret"]}`,
		SignatureHeaders: []string{"X-Ee-Wh-Signature"},
		Volatile: map[string]string{
			"messageFailed.http/date":           failed,
			"messageFailed.http/data/messageId": failed,
			"messageFailed.http/data/error":     failed,
		},
		Unsampled: map[string]string{
			"proxy": "networkRouting of EmailEngine before 2.61", "tokenRequest": "authenticationError of OAuth2 accounts", "originalMessageId": "messageSent where the server changed the Message-ID",
			"bcc": "messageNew, bodies_test.go", "isComplaint": "messageNew, bodies_test.go", "calendarEvents": "messageNew, bodies_test.go",
			"incidents": "the Incidents field of a report (RFC 5965 section 3.2)",
		},
		Credentials: []string{"0123456789abcdef0123456789abcdef", "other-service-secret"},
	}
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	providertest.Run(t, suite())
}

func FuzzWebhook(f *testing.F) { providertest.Fuzz(f, suite()) }

func BenchmarkWebhook(b *testing.B) { providertest.Benchmark(b, suite(), "messageBounce") }

package resend_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
	"github.com/mailvane/mailvane/receiver/provider/resend"
)

const (
	secret = "whsec_bWFpbHZhbmUtZGVtby1zZWNyZXQtMDAwMA=="
	other  = "whsec_YW5vdGhlciBzZWNyZXQsIGFsc28gb2YgMjQ="
)

func suite() providertest.Suite {
	return providertest.Suite{
		Retyped:           map[string]string{"subType": "a bounce, which may have been no attempt"},
		Kind:              resend.Kind(),
		OtherSettings:     `{"signingSecrets": ["` + other + `"], "toleranceSeconds": 0}`,
		RotationSettings:  `{"signingSecrets": ["` + secret + `", "` + other + `"], "toleranceSeconds": 0}`,
		ToleranceSettings: `{"signingSecrets": ["` + secret + `"]}`, // the default
		SignatureHeaders:  []string{"Svix-Id", "Svix-Timestamp", "Svix-Signature"},
		IDHeader:          "Svix-Id",
		SignedAt: func(r *provider.Request) time.Time {
			seconds, _ := strconv.ParseInt(r.Header.Get("Svix-Timestamp"), 10, 64)
			return time.Unix(seconds, 0)
		},
		Credentials: []string{secret, other},
	}
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	providertest.Run(t, suite())
}

func FuzzWebhook(f *testing.F) { providertest.Fuzz(f, suite()) }

func BenchmarkWebhook(b *testing.B) { providertest.Benchmark(b, suite(), "email.delivered") }

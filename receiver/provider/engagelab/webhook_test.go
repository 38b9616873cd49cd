package engagelab_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/engagelab"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

func suite() providertest.Suite {
	return providertest.Suite{
		Kind:              engagelab.Kind(),
		OtherSettings:     `{"appKeys": ["other-app-key"]}`,
		RotationSettings:  `{"appKeys": ["appkey123", "other-app-key"]}`,
		ToleranceSettings: `{"appKeys": ["appkey123"], "toleranceSeconds": 300}`,
		SignatureHeaders:  []string{"X-Webhook-Timestamp", "X-Webhook-Appkey", "X-Webhook-Signature"},
		BodyNotSigned:     true,
		SignedAt: func(r *provider.Request) time.Time {
			milliseconds, _ := strconv.ParseInt(r.Header.Get("X-WebHook-Timestamp"), 10, 64)
			return time.UnixMilli(milliseconds)
		},
		Unsampled:   map[string]string{"reference": "route, of a mail that answers another"},
		Credentials: []string{"appkey123", "other-app-key"},
	}
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	providertest.Run(t, suite())
}

func FuzzWebhook(f *testing.F) { providertest.Fuzz(f, suite()) }

func BenchmarkWebhook(b *testing.B) { providertest.Benchmark(b, suite(), "delivered") }

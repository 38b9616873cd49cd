package customerio_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/customerio"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

const (
	secret      = "example-signing-key"
	otherSecret = "other-signing-key"
)

func suite() providertest.Suite {
	return providertest.Suite{
		Kind:              customerio.Kind(),
		OtherSettings:     `{"signingKeys": ["` + otherSecret + `"]}`,
		RotationSettings:  `{"signingKeys": ["` + secret + `", "` + otherSecret + `"]}`,
		ToleranceSettings: `{"signingKeys": ["` + secret + `"], "toleranceSeconds": 300}`,
		SignatureHeaders:  []string{"X-Cio-Timestamp", "X-Cio-Signature"},
		SignedAt: func(r *provider.Request) time.Time {
			seconds, _ := strconv.ParseInt(r.Header.Get("X-Cio-Timestamp"), 10, 64)
			return time.Unix(seconds, 0)
		},
		Credentials: []string{secret, otherSecret},
		Identifies:  func(at jsontext.Pointer) bool { return at == "/event_id" },
	}
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	providertest.Run(t, suite())
}

func FuzzWebhook(f *testing.F) { providertest.Fuzz(f, suite()) }

func BenchmarkWebhook(b *testing.B) { providertest.Benchmark(b, suite(), "email-delivered") }

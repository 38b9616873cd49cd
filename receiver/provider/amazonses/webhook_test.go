package amazonses_test

import (
	"encoding/json"
	"testing"

	"github.com/mailvane/mailvane/internal/simulate/amazonses"
	provider "github.com/mailvane/mailvane/receiver/provider/amazonses"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
	"github.com/mailvane/mailvane/receiver/provider/sns/snstest"
)

const topicARN = "arn:aws:sns:eu-west-1:123456789012:ses-events"

// demoCertificate returns the certificate that the samples' settings pin.
func demoCertificate(t testing.TB) string {
	t.Helper()
	var s struct{ Certificates []string }
	data, err := amazonses.Files().Open("settings.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(data).Decode(&s); err != nil || len(s.Certificates) != 1 {
		t.Fatal(err, s)
	}
	return s.Certificates[0]
}

// settingsOf returns settings with pinned certificates, and more members.
func settingsOf(t testing.TB, more string, certificates ...string) string {
	t.Helper()
	pinned, err := json.Marshal(certificates)
	if err != nil {
		t.Fatal(err)
	}
	return `{"topicARNs": ["` + topicARN + `"], "certificates": ` + string(pinned) + more + `}`
}

func suite(t testing.TB) providertest.Suite {
	t.Helper()
	other := snstest.NewKey(t, snstest.Named("other"), nil)
	return providertest.Suite{
		Retyped: map[string]string{
			"bounceSubType":         "a bounce, which may have been no attempt",
			"complaintSubType":      "a complaint, which may have been no attempt",
			"complaintFeedbackType": "a complaint, which may be its opposite",
		},
		Kind:             provider.Kind(),
		OtherSettings:    settingsOf(t, "", string(other.CertificatePEM)),
		RotationSettings: settingsOf(t, "", demoCertificate(t), string(other.CertificatePEM)),
		SigningKey:       snstest.DemoKey(),
		OtherSigningKey:  other.PEM,
		SignedBytes:      snstest.SignedBytes,
		Open:             snstest.Open,
	}
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	providertest.Run(t, suite(t))
}

func FuzzWebhook(f *testing.F) { providertest.Fuzz(f, suite(f)) }

func BenchmarkWebhook(b *testing.B) { providertest.Benchmark(b, suite(b), "delivery") }

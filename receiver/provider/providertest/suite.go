// Package providertest is the suite that every provider passes: its samples verify and decode to the golden files, and
// no tampered, stale, foreign or broken request gets through, fails loudly or leaks.
package providertest

import (
	"io/fs"
	"testing"
	"time"

	"github.com/mailvane/mailvane/receiver/provider"
)

// Suite describes one provider to the tests.
type Suite struct {
	// Kind is the provider.
	Kind provider.Kind
	// Settings are those that the samples are signed for.
	Settings string
	// OtherSettings are the same with another key in place of the samples'.
	OtherSettings string
	// RotationSettings are the same with both keys.
	RotationSettings string
	// ToleranceSettings are the same with a tolerance of [Tolerance]; empty when the provider signs no time.
	ToleranceSettings string
	// SigningKey and OtherSigningKey are the private keys of Settings and OtherSettings, for a provider with asymmetric keys.
	SigningKey, OtherSigningKey []byte
	// SignatureHeaders are the headers without any of which a request is refused.
	SignatureHeaders []string
	// BodyNotSigned says that the provider's signature does not cover the body.
	BodyNotSigned bool
	// SignedAt returns the time that a request's signature names; nil when the provider signs no time.
	SignedAt func(*provider.Request) time.Time
	// Volatile are the scalars of samples, by the sample's name and a JSON Pointer behind it, on which no id rests, each with the reason.
	Volatile map[string]string
	// Credentials are texts that no error may hold.
	Credentials []string
}

// Tolerance is what Suite.ToleranceSettings must set.
const Tolerance = 300 * time.Second

// receipt is when requests arrive whose signature names no time.
func receipt() time.Time { return time.Date(2026, time.January, 2, 3, 4, 5, 0, time.UTC) }

// Run tests a provider. Golden files are testdata/<sample>.golden.json; -update rewrites them.
func Run(t *testing.T, s Suite) {
	t.Helper()
	samples := s.samples(t)
	for _, sample := range samples {
		t.Run(sample.name, func(t *testing.T) {
			t.Parallel()
			t.Run("golden", func(t *testing.T) { s.golden(t, sample) })
			t.Run("decode", func(t *testing.T) { s.decode(t, sample) })
			t.Run("tampered body", func(t *testing.T) { s.tamperedBody(t, sample) })
			t.Run("tampered headers", func(t *testing.T) { s.tamperedHeaders(t, sample) })
			t.Run("keys", func(t *testing.T) { s.keys(t, sample) })
			t.Run("clock", func(t *testing.T) { s.clock(t, sample) })
			t.Run("send", func(t *testing.T) { s.send(t, sample) })
			t.Run("odd", func(t *testing.T) { s.odd(t, sample) })
			t.Run("apart", func(t *testing.T) { s.apart(t, sample) })
			t.Run("again", func(t *testing.T) { s.again(t, sample) })
			t.Run("spelling", func(t *testing.T) { s.spelling(t, sample) })
			t.Run("no leak", func(t *testing.T) { s.leaks(t, sample) })
		})
	}
	t.Run("settings", func(t *testing.T) { s.settings(t) })
}

// sample is one request of Kind.Samples.
type sample struct {
	name    string
	request *provider.Request
}

func (s Suite) samples(t testing.TB) []sample {
	t.Helper()
	names, err := fs.Glob(s.Kind.Samples, "*.http")
	if err != nil || len(names) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	var samples []sample
	for _, name := range names {
		data, err := fs.ReadFile(s.Kind.Samples, name)
		if err != nil {
			t.Fatal(err)
		}
		samples = append(samples, sample{name: name, request: s.parse(t, name, data)})
	}
	return samples
}

func (s Suite) webhook(t testing.TB, settings string) provider.Webhook {
	t.Helper()
	w, err := s.Kind.New([]byte(settings), provider.Environment{})
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	return w
}

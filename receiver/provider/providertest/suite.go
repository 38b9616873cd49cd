// Package providertest is the suite that every provider passes: its samples verify and decode to the golden files, and
// no tampered, stale, foreign or broken request gets through, fails loudly or leaks.
package providertest

import (
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/internal/simulate"
	"github.com/mailvane/mailvane/receiver/provider"
)

// Suite describes one provider to the tests.
type Suite struct {
	// Kind is the provider.
	Kind provider.Kind
	// Settings are those that the samples are signed for; empty = those that package simulate has beside them.
	Settings string
	// Resign says that the samples are signed for other settings, and are to be signed anew for Settings.
	Resign bool
	// URLUnsigned says that with these settings no URL is signed, though with others of the provider one is.
	URLUnsigned bool
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
	// Unsigned says that the provider signs nothing at all: there is no key to test, and its webhooks must say that they authenticate nothing.
	Unsigned bool
	// SignedBytes says of each byte of a body whether the signature covers it; nil = it covers all.
	SignedBytes func(body []byte) []bool
	// Open returns the JSON within a body that is none, or whose events are a text within it, and what puts other JSON in its place;
	// nil = the body is the JSON.
	Open func(body []byte) (inner []byte, replace func(inner []byte) []byte)
	// Unsampled are member names that the provider's package looks up and no sample has, each with the reason.
	Unsampled map[string]string
	// SignedAt returns the time that a request's signature names; nil when the provider signs no time.
	SignedAt func(*provider.Request) time.Time
	// KeepsUnknown says that the provider puts what the sender attached beside its own members, so that one that is not known is metadata.
	KeepsUnknown bool
	// Volatile are the scalars of samples, by the sample's name and a JSON Pointer behind it, on which no id rests, each with the reason.
	Volatile map[string]string
	// Retyped are the names of the members by which events of one name are told apart, each with what an event is without them: where one of
	// these, or what is in it, cannot be read, an event may be another one.
	Retyped map[string]string
	// Renamed are the samples whose event is known by something else as well as by its name, each with the reason.
	Renamed map[string]string
	// Nameless says that no body has the name of an event.
	Nameless bool
	// IDHeader is the signed header that holds the provider's own id of an event, on which every id rests; "" = ids rest on the body.
	IDHeader string
	// Identifies reports whether a scalar of a sample, by its JSON Pointer, is part of what ids rest on, where the body holds the provider's
	// own id of an event; nil = every scalar is.
	Identifies func(at jsontext.Pointer) bool
	// Redacts says that what cannot be read is kept without a credential that the provider puts into the body.
	Redacts bool
	// Credentials are texts that no error may hold.
	Credentials []string

	// retyped are the names of Retyped that have made an event another one.
	retyped *sync.Map
}

// Tolerance is what Suite.ToleranceSettings must set.
const Tolerance = 300 * time.Second

// receipt is when requests arrive whose signature names no time.
func receipt() time.Time { return time.Date(2026, time.January, 2, 3, 4, 5, 0, time.UTC) }

// Run tests a provider. Golden files are testdata/<sample>.golden.json; -update rewrites them.
func Run(t *testing.T, s Suite) {
	t.Helper()
	s = s.complete(t)
	samples := s.samples(t)
	t.Cleanup(func() {
		for name, reason := range s.Retyped {
			if _, used := s.retyped.Load(name); !used {
				t.Errorf("no event becomes another one without %q, which is declared to be so: %s", name, reason)
			}
		}
	})
	for _, sample := range samples {
		t.Run(sample.name, func(t *testing.T) {
			t.Parallel()
			t.Run("golden", func(t *testing.T) { s.golden(t, sample) })
			t.Run("decode", func(t *testing.T) { s.decode(t, sample) })
			t.Run("tampered body", func(t *testing.T) { s.tamperedBody(t, sample) })
			t.Run("tampered headers", func(t *testing.T) { s.tamperedHeaders(t, sample) })
			t.Run("keys", func(t *testing.T) { s.keys(t, sample) })
			t.Run("clock", func(t *testing.T) { s.clock(t, sample) })
			t.Run("url", func(t *testing.T) { s.url(t, sample) })
			t.Run("send", func(t *testing.T) { s.send(t, sample) })
			t.Run("odd", func(t *testing.T) { s.odd(t, sample) })
			t.Run("apart", func(t *testing.T) { s.apart(t, sample) })
			t.Run("again", func(t *testing.T) { s.again(t, sample) })
			t.Run("spelling", func(t *testing.T) { s.spelling(t, sample) })
			t.Run("kinds", func(t *testing.T) { s.kinds(t, sample) })
			t.Run("broken", func(t *testing.T) { s.broken(t, sample) })
			t.Run("no leak", func(t *testing.T) { s.leaks(t, sample) })
		})
	}
	t.Run("unheard", func(t *testing.T) { s.unheard(t, samples) })
	t.Run("settings", func(t *testing.T) { s.settings(t) })
	t.Run("names", func(t *testing.T) { s.names(t, samples) })
}

// opened returns the JSON that holds the events of a body; see Suite.Open.
func (s Suite) opened(body []byte) (inner []byte, replace func([]byte) []byte) {
	if s.Open == nil {
		return body, func(inner []byte) []byte { return inner }
	}
	return s.Open(body)
}

// sample is one documented request of the provider.
type sample struct {
	name    string
	request *provider.Request
	// shortest says that no other sample has a shorter body.
	shortest bool
}

// vendor returns what makes the provider's requests.
func (s Suite) vendor(t testing.TB) simulate.Vendor {
	t.Helper()
	v, ok := simulate.Lookup(s.Kind.Type)
	if !ok {
		t.Fatalf("nothing makes requests of %s", s.Kind.Type)
	}
	return v
}

// complete takes what is not set from package simulate.
func (s Suite) complete(t testing.TB) Suite {
	t.Helper()
	s.retyped = &sync.Map{}
	if s.Settings == "" {
		v := s.vendor(t)
		text, err := v.Settings()
		if err != nil {
			t.Fatal(err)
		}
		s.Settings = string(text)
	}
	return s
}

func (s Suite) samples(t testing.TB) []sample {
	t.Helper()
	v := s.vendor(t)
	documented, err := v.Samples()
	if err != nil || len(documented) == 0 {
		t.Fatalf("%d samples: %v", len(documented), err)
	}
	samples := make([]sample, 0, len(documented))
	for _, d := range documented {
		samples = append(samples, sample{name: d.Name + ".http", request: s.request(t, d)})
	}
	shortest := 0
	for i := range samples {
		if len(samples[i].request.Body) < len(samples[shortest].request.Body) {
			shortest = i
		}
	}
	samples[shortest].shortest = true
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

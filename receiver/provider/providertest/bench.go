package providertest

import (
	"testing"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
)

// Benchmark measures what a request costs: checking its signature, decoding it and encoding its events, for each sample that is
// named.
func Benchmark(b *testing.B, s Suite, names ...string) {
	b.Helper()
	s = s.complete(b)
	w := s.webhook(b, s.Settings)
	for _, sample := range s.samples(b) {
		for _, name := range names {
			if sample.name == name+".http" {
				benchmarkSample(b, w, sample)
			}
		}
	}
}

func benchmarkSample(b *testing.B, w provider.Webhook, s sample) {
	b.Helper()
	size := int64(len(s.request.Body))
	b.Run(s.name+"/verify", func(b *testing.B) {
		b.SetBytes(size)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := w.Verify(b.Context(), s.request); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run(s.name+"/decode", func(b *testing.B) {
		b.SetBytes(size)
		b.ReportAllocs()
		for b.Loop() {
			if len(w.Decode(s.request).Events) == 0 {
				b.Fatal("no event")
			}
		}
	})
	e := w.Decode(s.request).Events[0]
	b.Run(s.name+"/encode", func(b *testing.B) {
		b.SetBytes(size)
		b.ReportAllocs()
		var encoded []byte
		for b.Loop() {
			var err error
			if encoded, err = event.AppendEncode(encoded[:0], &e, "/mailvane/mail/endpoint"); err != nil {
				b.Fatal(err)
			}
		}
	})
}

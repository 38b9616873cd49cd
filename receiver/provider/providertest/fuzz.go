package providertest

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
)

// Fuzz feeds bodies to Decode, and to Verify with the headers of the first sample. Nothing may panic; decoding is deterministic, its ids are
// unique and its records can be encoded; and no body passes that was not signed.
func Fuzz(f *testing.F, s Suite) {
	f.Helper()
	s = s.complete(f)
	samples := s.samples(f)
	for _, sample := range samples {
		f.Add(sample.request.Body)
	}
	signed := samples[0].request
	w := s.webhook(f, s.Settings)
	f.Fuzz(func(t *testing.T, body []byte) {
		r := &provider.Request{Header: signed.Header.Clone(), Body: body, ReceivedAt: signed.ReceivedAt}
		_, err := w.Verify(t.Context(), r)
		if err == nil && !s.BodyNotSigned && !s.Unsigned && s.SignedBytes == nil && !s.same(body, signed.Body) {
			t.Error("a body that was not signed passes")
		}
		if _, refused := errors.AsType[*provider.VerifyError](err); err != nil && !refused {
			t.Errorf("Verify: %v, want a refusal", err)
		}
		first := w.Decode(r)
		// Identical recipients of one item are told apart by their order, which is lost where each is alone.
		s.checkBatch(t, w, r, first, cmpopts.IgnoreFields(event.Event{}, "ID"))
		if diff := cmp.Diff(first, w.Decode(r)); diff != "" {
			t.Errorf("decoding is not deterministic:\n%s", diff)
		}
	})
}

// same reports whether two bodies say the same, whatever they are wrapped in.
func (s Suite) same(body, other []byte) bool {
	a, _ := s.opened(body)
	b, _ := s.opened(other)
	return string(a) == string(b)
}

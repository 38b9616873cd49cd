package provider_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/signature"
)

func TestRefuseSignature(t *testing.T) {
	t.Parallel()
	for cause, want := range map[error]provider.Reason{
		signature.ErrMissing:    provider.ReasonMissing,
		signature.ErrMalformed:  provider.ReasonMalformed,
		signature.ErrMismatch:   provider.ReasonMismatch,
		signature.ErrDigest:     provider.ReasonDigest,
		signature.ErrTime:       provider.ReasonTime,
		signature.ErrUnknownKey: provider.ReasonUnknownKey,
	} {
		got, refused := errors.AsType[*provider.VerifyError](provider.RefuseSignature(fmt.Errorf("wrapped: %w", cause)))
		if !refused || got.Reason != want {
			t.Errorf("%v: got %v, want a refusal for %s", cause, got, want)
		}
	}
	undecided := errors.New("the key server is down")
	if got := provider.RefuseSignature(undecided); !errors.Is(got, undecided) {
		t.Errorf("an error that is no refusal became %v", got)
	}
	if got := provider.RefuseSignature(nil); got != nil {
		t.Errorf("no error became %v", got)
	}
}

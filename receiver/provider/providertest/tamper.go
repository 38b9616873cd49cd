package providertest

import (
	"errors"
	"testing"
	"time"

	"github.com/mailvane/mailvane/receiver/provider"
)

// mustRefuse says that a request must be refused as not authentic, for the given cause unless it is "".
func mustRefuse(t *testing.T, w provider.Webhook, r *provider.Request, reason provider.Reason, what string) {
	t.Helper()
	_, err := w.Verify(t.Context(), r)
	refused, ok := errors.AsType[*provider.VerifyError](err)
	if !ok {
		t.Errorf("%s: Verify returned %v, want a refusal", what, err)
		return
	}
	if reason != "" && refused.Reason != reason {
		t.Errorf("%s: refused with %s, want %s", what, refused.Reason, reason)
	}
}

func (s Suite) tamperedBody(t *testing.T, sample sample) {
	t.Helper()
	if s.BodyNotSigned || s.Unsigned {
		t.Skip("the provider does not sign the body")
	}
	w := s.webhook(t, s.Settings)
	r := clone(sample.request)
	var signed []bool
	if s.SignedBytes != nil {
		signed = s.SignedBytes(r.Body)
	}
	step := 1
	if s.SigningKey != nil && !sample.shortest { // a public key costs a thousand times what a shared one does
		step = stride(4 * len(r.Body))
	}
	for i := 0; i < len(r.Body); i += step {
		if signed != nil && !signed[i] {
			continue
		}
		r.Body[i] ^= 1
		mustRefuse(t, w, r, "", "a changed byte")
		r.Body[i] ^= 1
	}
	if signed == nil {
		r.Body = append(r.Body, '\n')
		mustRefuse(t, w, r, "", "a byte more")
		r.Body = r.Body[:len(r.Body)-2]
		mustRefuse(t, w, r, "", "a byte less")
	}
	r.Body = nil
	mustRefuse(t, w, r, "", "no body")
}

func (s Suite) tamperedHeaders(t *testing.T, sample sample) {
	t.Helper()
	w := s.webhook(t, s.Settings)
	for _, name := range s.SignatureHeaders {
		r := clone(sample.request)
		value := r.Header.Get(name)
		for i := range value {
			changed := []byte(value)
			changed[i] ^= 1
			r.Header.Set(name, string(changed))
			mustRefuse(t, w, r, "", "a changed byte of "+name)
		}
		r.Header[name] = nil
		r.Header.Del(name)
		mustRefuse(t, w, r, provider.ReasonMissing, "without "+name)
		r.Header.Set(name, "")
		mustRefuse(t, w, r, "", "with an empty "+name)
		r.Header.Set(name, value)
		r.Header.Add(name, value)
		mustRefuse(t, w, r, "", "with two of "+name)
	}
}

func (s Suite) keys(t *testing.T, sample sample) {
	t.Helper()
	if s.Unsigned {
		if a, ok := s.webhook(t, s.Settings).(provider.Authenticator); !ok || a.Authenticates() {
			t.Error("it signs nothing, and does not say so")
		}
		return
	}
	mustRefuse(t, s.webhook(t, s.OtherSettings), sample.request, "", "another key")
	rotating := s.webhook(t, s.RotationSettings)
	if _, err := rotating.Verify(t.Context(), sample.request); err != nil {
		t.Errorf("during a rotation, the old key: %v", err)
	}
	newer := clone(sample.request)
	if err := s.vendor(t).Sign([]byte(s.OtherSettings), s.OtherSigningKey, newer); err != nil {
		t.Fatalf("Sign: %v", err)
	}
	if _, err := rotating.Verify(t.Context(), newer); err != nil {
		t.Errorf("during a rotation, the new key: %v", err)
	}
}

func (s Suite) clock(t *testing.T, sample sample) {
	t.Helper()
	if s.SignedAt == nil {
		t.Skip("the provider signs no time")
	}
	signed := s.SignedAt(sample.request)
	strict, lax := s.webhook(t, s.ToleranceSettings), s.webhook(t, s.Settings)
	r := clone(sample.request)
	for _, offset := range []time.Duration{-Tolerance, 0, Tolerance} {
		r.ReceivedAt = signed.Add(offset)
		if _, err := strict.Verify(t.Context(), r); err != nil {
			t.Errorf("received %v after signing: %v", offset, err)
		}
	}
	for _, offset := range []time.Duration{-Tolerance - time.Second, Tolerance + time.Second} {
		r.ReceivedAt = signed.Add(offset)
		mustRefuse(t, strict, r, provider.ReasonTime, "received "+offset.String()+" after signing")
		if _, err := lax.Verify(t.Context(), r); err != nil {
			t.Errorf("without a tolerance, received %v after signing: %v", offset, err)
		}
	}
}

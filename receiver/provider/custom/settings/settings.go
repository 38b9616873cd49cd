// Package settings reads the settings of an endpoint of type Custom, apart from what decodes its requests.
package settings

import (
	"errors"
	"fmt"
	"strings"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/mapping"
	"github.com/mailvane/mailvane/receiver/provider/scheme"
	"github.com/mailvane/mailvane/receiver/settings"
)

// Verifier checks the signature of a request.
type Verifier interface {
	// Verify returns what showed that a request is authentic; see [provider.Webhook].
	Verify(r *provider.Request) (provider.Proof, error)
}

// Parsed are settings that are ready to be used.
type Parsed struct {
	// Signatures checks signatures; nil = nothing is signed.
	Signatures Verifier
	// HasMessageID says that requests name their message, in a header that is signed; see [scheme.ID].
	HasMessageID bool
	// Mapping says what the bodies mean.
	Mapping *mapping.Mapping
}

// Parse decodes an endpoint's settings, completes them with the defaults and refuses what cannot work, or cannot be secure. No error holds
// a credential.
func Parse(data []byte) (Parsed, error) {
	var s Settings
	if err := settings.Decode(data, &s); err != nil {
		return Parsed{}, err
	}
	p := Parsed{HasMessageID: s.Signature.Scheme == StandardWebhooks}
	var failed, err error
	if p.Signatures, err = s.Signature.verifier(); err != nil {
		failed = fmt.Errorf("signature.%w", err)
	}
	if p.Mapping, err = mapping.Compile(&s.Mapping); err != nil {
		failed = errors.Join(failed, fmt.Errorf("mapping: %w", err))
	}
	return p, failed
}

// verifier makes what checks the signatures; nil = nothing does.
func (s *Signature) verifier() (Verifier, error) {
	switch s.Scheme {
	case None:
		return nil, s.only("None signs nothing", "scheme")
	case StandardWebhooks:
		if err := s.only("StandardWebhooks says so itself", "scheme", "keyRefs", "toleranceSeconds"); err != nil {
			return nil, err
		}
		return s.standard()
	case HMAC, Ed25519, ECDSA, RSA:
		return scheme.Describe(&scheme.Description{
			Algorithm: string(s.Scheme), Header: s.Header, Encoding: string(s.Encoding), Prefix: s.Prefix,
			SignatureName: s.SignatureName, TimestampName: s.TimestampName, TimestampHeader: s.TimestampHeader,
			Signed: s.Signed, Hash: s.Hash, ToleranceSeconds: s.ToleranceSeconds, Keys: s.Keys, KeyEncoding: string(s.KeyEncoding),
		})
	default:
		return nil, errors.New("scheme: must be HMAC, Ed25519, ECDSA, RSA, StandardWebhooks or None")
	}
}

// standard makes the scheme of Standard Webhooks of secrets, which begin with whsec_, and public keys, which begin with whpk_.
func (s *Signature) standard() (Verifier, error) {
	var secrets, public []string
	for i, key := range s.Keys {
		switch key = strings.TrimSpace(key); {
		case strings.HasPrefix(key, "whsec_"):
			secrets = append(secrets, key)
		case strings.HasPrefix(key, "whpk_"):
			public = append(public, key)
		default:
			return nil, fmt.Errorf("keyRefs[%d]: must begin with whsec_ or whpk_", i)
		}
	}
	tolerance, err := scheme.Tolerance(s.ToleranceSeconds)
	if err != nil {
		return nil, err
	}
	signatures, err := scheme.NewStandardWebhooks(secrets, public, tolerance)
	if err != nil {
		return nil, fmt.Errorf("keyRefs: %w", err)
	}
	return &signatures, nil
}

// only refuses fields that have no meaning for a scheme.
func (s *Signature) only(because string, allowed ...string) error {
	for _, field := range []struct {
		name string
		set  bool
	}{
		{"header", s.Header != ""},
		{"encoding", s.Encoding != ""},
		{"prefix", s.Prefix != ""},
		{"signatureName", s.SignatureName != ""},
		{"timestampName", s.TimestampName != ""},
		{"timestampHeader", s.TimestampHeader != ""},
		{"signed", len(s.Signed) > 0},
		{"hash", s.Hash != ""},
		{"keyEncoding", s.KeyEncoding != ""},
		{"keyRefs", len(s.Keys) > 0},
		{"toleranceSeconds", s.ToleranceSeconds != nil},
	} {
		known := false
		for _, name := range allowed {
			known = known || name == field.name
		}
		if field.set && !known {
			return fmt.Errorf("%s: must not be set: %s", field.name, because)
		}
	}
	return nil
}

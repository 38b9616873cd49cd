package signature

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/dunglas/httpsfv"
)

// Bounds of what one request may make the verifier do.
const (
	// maxSignatures is how many signatures one request may carry; providers send one, two while they change keys.
	maxSignatures = 4
	// maxComponents is how many components a signature may cover.
	maxComponents = 16
	// maxKeyID is the length of a key id, in bytes.
	maxKeyID = 128
)

// ed25519Algorithm is the name in the registry of RFC 9421 section 6.2.
const ed25519Algorithm = "ed25519"

// messageSignature is one signature with its parameters (RFC 9421 section 2.3).
type messageSignature struct {
	value      []byte
	keyID      string
	created    time.Time
	hasCreated bool
	expires    time.Time
	hasExpires bool
	components []string
	// params is the text of the signature parameters exactly as sent, because they are signed as they were written.
	params string
}

// parseSignatures pairs the members of Signature and Signature-Input by their labels. Labels that occur in one header
// only are passed over.
func parseSignatures(h http.Header) ([]messageSignature, error) {
	values, err := rawMembers(h, signatureHeader)
	if err != nil {
		return nil, err
	}
	inputs, err := rawMembers(h, signatureInputHeader)
	if err != nil {
		return nil, err
	}
	var signatures []messageSignature
	for _, in := range inputs {
		i := slices.IndexFunc(values, func(m rawMember) bool { return m.label == in.label })
		if i < 0 {
			continue
		}
		s, err := parseSignature(in.text, values[i].text)
		if err != nil {
			continue // another signer's; one that can be checked is enough
		}
		signatures = append(signatures, s)
	}
	if len(signatures) == 0 {
		return nil, ErrMalformed
	}
	return signatures, nil
}

func parseSignature(params, value string) (messageSignature, error) {
	s := messageSignature{params: params}
	// Strict on the encoding, so that one signature has one spelling.
	encoded, ok := strings.CutPrefix(value, ":")
	if !ok {
		return s, ErrMalformed
	}
	encoded, ok = strings.CutSuffix(encoded, ":")
	if !ok {
		return s, ErrMalformed
	}
	var err error
	if s.value, err = base64.StdEncoding.Strict().DecodeString(encoded); err != nil {
		return s, ErrMalformed
	}
	list, err := httpsfv.UnmarshalList([]string{params})
	if err != nil || len(list) != 1 {
		return s, ErrMalformed
	}
	inner, ok := list[0].(httpsfv.InnerList)
	if !ok {
		return s, ErrMalformed
	}
	if err := s.setComponents(inner.Items); err != nil {
		return s, err
	}
	return s, s.setParams(inner.Params)
}

// setComponents takes the covered components: plain header fields, the content digest among them.
func (s *messageSignature) setComponents(items []httpsfv.Item) error {
	if len(items) > maxComponents {
		return ErrMalformed
	}
	for _, item := range items {
		name, ok := item.Value.(string)
		if !ok || len(item.Params.Names()) > 0 || strings.HasPrefix(name, "@") || name != strings.ToLower(name) {
			return ErrMalformed
		}
		if slices.Contains(s.components, name) {
			return ErrMalformed
		}
		s.components = append(s.components, name)
	}
	if !slices.Contains(s.components, strings.ToLower(contentDigest)) {
		// A signature that does not cover the digest says nothing about the body.
		return ErrMalformed
	}
	return nil
}

func (s *messageSignature) setParams(params *httpsfv.Params) error {
	if alg, ok := params.Get("alg"); ok && alg != any(ed25519Algorithm) {
		return ErrMalformed
	}
	id, _ := params.Get("keyid")
	keyID, ok := id.(string)
	if !ok || keyID == "" || len(keyID) > maxKeyID {
		return ErrMalformed
	}
	s.keyID = keyID
	var err error
	if s.created, s.hasCreated, err = timeParam(params, "created"); err != nil {
		return err
	}
	s.expires, s.hasExpires, err = timeParam(params, "expires")
	return err
}

// timeParam reads a parameter that counts seconds since 1970 (RFC 9421 section 2.3).
func timeParam(params *httpsfv.Params, name string) (at time.Time, present bool, err error) {
	value, present := params.Get(name)
	if !present {
		return time.Time{}, false, nil
	}
	seconds, ok := value.(int64)
	if !ok {
		return time.Time{}, false, ErrMalformed
	}
	return time.Unix(seconds, 0), true, nil
}

// base returns the signature base (RFC 9421 section 2.5): a line for each component and one for the parameters.
func (s *messageSignature) base(h http.Header) ([]byte, error) {
	var b strings.Builder
	for _, name := range s.components {
		values := h.Values(name)
		if len(values) == 0 {
			return nil, ErrMissing
		}
		b.WriteString(`"` + name + `": `)
		for i, v := range values {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(strings.TrimSpace(v))
		}
		b.WriteString("\n")
	}
	b.WriteString(`"@signature-params": ` + s.params)
	return []byte(b.String()), nil
}

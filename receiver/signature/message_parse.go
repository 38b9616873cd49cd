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
	// maxSignatures is how many signatures one request may carry. Providers send one, two while they change keys; proxies add theirs.
	maxSignatures = 16
	// maxComponents is how many components a signature may cover, more than there are headers in a common request.
	maxComponents = 64
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
	// params are the texts of the signature parameters that may have been signed: the serialization of what was parsed, which RFC 9421
	// section 2.5 asks for, and, if it is another, the text as sent, which signers that do not serialize sign. They mean the same.
	params []string
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
	var s messageSignature
	var err error
	if s.value, err = parseValue(value); err != nil {
		return s, err
	}
	list, err := httpsfv.UnmarshalList([]string{params})
	if err != nil || len(list) != 1 {
		return s, ErrMalformed
	}
	inner, ok := list[0].(httpsfv.InnerList)
	if !ok {
		return s, ErrMalformed
	}
	serialized, err := httpsfv.Marshal(list)
	if err != nil {
		return s, ErrMalformed
	}
	s.params = slices.Compact([]string{serialized, params})
	if err := s.setComponents(inner.Items); err != nil {
		return s, err
	}
	return s, s.setParams(inner.Params)
}

// parseValue reads a byte sequence; its parameters mean nothing (RFC 9421 section 4.2). It is strict on the encoding, so that one
// signature has one spelling.
func parseValue(text string) ([]byte, error) {
	item, err := httpsfv.UnmarshalItem([]string{text})
	if err != nil {
		return nil, ErrMalformed
	}
	value, ok := item.Value.([]byte)
	if !ok || !strings.HasPrefix(text, ":"+base64.StdEncoding.EncodeToString(value)+":") {
		return nil, ErrMalformed
	}
	return value, nil
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

// bases returns the signature bases (RFC 9421 section 2.5) of which one was signed, if any: a line for each component and one for the
// parameters.
func (s *messageSignature) bases(h http.Header) ([][]byte, error) {
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
	var bases [][]byte
	for _, params := range s.params {
		bases = append(bases, []byte(b.String()+`"@signature-params": `+params))
	}
	return bases, nil
}

package unisendergo

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/scheme"
	"github.com/mailvane/mailvane/receiver/signature"
)

// authName is the member of the body that signs it.
const authName = "auth"

// Verify checks the member auth: the hexadecimal MD5 of the body as it would be with the API key in the place of that. Whoever does not know
// the key cannot tell the MD5 of any body that has it within, although MD5 is weak.
func (w *webhook) Verify(_ context.Context, r *provider.Request) (provider.Proof, error) {
	return scheme.Proved(w.verify(r.Body))
}

func (w *webhook) verify(body []byte) (key int, err error) {
	before, digest, after, err := split(body)
	if err != nil {
		return 0, err
	}
	key, ok := w.keys.Match(digest, func(key []byte) []byte {
		sum := md5.New()
		for _, part := range [][]byte{before, key, after} {
			sum.Write(part)
		}
		return sum.Sum(nil)
	})
	if !ok {
		return 0, signature.ErrMismatch
	}
	return key, nil
}

// split returns what the body holds before and behind the text of its member auth, and the digest that this is: in small letters, or two
// bodies would have one signature. Unisender Go writes it first, so little is read of a body until then.
func split(body []byte) (before, digest, after []byte, err error) {
	dec := jsontext.NewDecoder(bytes.NewBuffer(body))
	if token, err := dec.ReadToken(); err != nil || token.Kind() != jsontext.KindBeginObject {
		return nil, nil, nil, signature.ErrMalformed
	}
	for {
		name, err := dec.ReadToken()
		if err != nil {
			return nil, nil, nil, signature.ErrMalformed
		}
		if name.Kind() == jsontext.KindEndObject {
			return nil, nil, nil, signature.ErrMissing
		}
		isAuth := name.String() == authName
		value, err := dec.ReadValue()
		if err != nil {
			return nil, nil, nil, signature.ErrMalformed
		}
		if isAuth {
			end := int(dec.InputOffset()) - 1 // at the quote behind it
			digest, err := digestOf(value)
			return body[:max(0, end-hex.EncodedLen(md5.Size))], digest, body[end:], err
		}
	}
}

// digestOf reads the JSON of the member.
func digestOf(value jsontext.Value) ([]byte, error) {
	if value.Kind() != jsontext.KindString || len(value) != hex.EncodedLen(md5.Size)+2 || bytes.ContainsAny(value, "ABCDEF") {
		return nil, signature.ErrMalformed
	}
	digest := make([]byte, md5.Size)
	if err := signature.DecodeHex(digest, string(value[1:len(value)-1])); err != nil {
		return nil, err //nolint:wrapcheck // it is one of those that say why a request is refused
	}
	return digest, nil
}

package providertest

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider"
)

// minTelling is the length, in bytes, from which a text of a body tells something of it. Shorter ones occur by chance.
const minTelling = 6

// leaks tests that neither errors nor reasons hold a credential or anything of the body, whatever the body is cut to.
func (s Suite) leaks(t *testing.T, sample sample) {
	t.Helper()
	inner, _ := s.opened(sample.request.Body)
	secret := append(texts(inner), s.Credentials...)
	w, other := s.webhook(t, s.Settings), s.webhook(t, s.OtherSettings)
	body := sample.request.Body
	for n := 0; n < len(body); n += stride(len(body)) {
		r := clone(sample.request)
		r.Body = body[:n]
		for _, u := range w.Decode(r).Undecodable {
			holdsNone(t, u.Reason, secret)
		}
		r.Body = bytes.Replace(body, body[n:n+1], []byte{0xff}, 1)
		for _, u := range w.Decode(r).Undecodable {
			holdsNone(t, u.Reason, secret)
		}
	}
	for _, name := range append(s.SignatureHeaders, "") {
		r := clone(sample.request)
		r.Header.Del(name)
		_, known := w.Verify(t.Context(), r)
		_, unknown := other.Verify(t.Context(), r)
		if err := errors.Join(known, unknown); err != nil {
			holdsNone(t, err.Error(), secret)
		}
	}
}

// manyPlaces is how many places of a body are enough where each of them costs the time of the whole body.
const manyPlaces = 400

// stride is how far apart the places are: 1 in a short body.
func stride(length int) int { return 1 + length/manyPlaces }

// texts returns the string values of a body.
func texts(body []byte) []string {
	var values []string
	dec := jsontext.NewDecoder(bytes.NewReader(body))
	for {
		token, err := dec.ReadToken()
		if err != nil {
			if !errors.Is(err, io.EOF) && len(values) == 0 {
				return nil
			}
			return values
		}
		kind, length := dec.StackIndex(dec.StackDepth())
		isName := kind == jsontext.KindBeginObject && length%2 == 1
		if token.Kind() == jsontext.KindString && !isName && len(token.String()) >= minTelling {
			values = append(values, token.String())
		}
	}
}

func holdsNone(t *testing.T, text string, secret []string) {
	t.Helper()
	for _, s := range secret {
		if strings.Contains(text, s) {
			t.Fatalf("%q tells %q", text, s)
		}
	}
}

// settings tests that settings are read strictly, and that no error about them holds a credential.
func (s Suite) settings(t *testing.T) {
	t.Helper()
	broken := map[string]string{
		"an unknown member": strings.Replace(s.Settings, "{", `{"unknown": 1, `, 1),
		"not an object":     "[" + s.Settings + "]",
		"cut off":           s.Settings[:len(s.Settings)-1],
		"more after it":     s.Settings + s.Settings,
	}
	for _, c := range s.Credentials {
		broken["an algorithm called "+c] = strings.Replace(s.Settings, "{", `{"signatureAlgorithm": "`+c+`", `, 1)
		broken["a scalar in place of an array: "+c] = strings.Replace(s.RotationSettings, `["`, `"`+c+`", "x": ["`, 1)
		broken["an empty secret beside "+c] = strings.Replace(s.RotationSettings, `"`+c+`"`, `"`+c+`", ""`, 1)
	}
	for what, settings := range broken {
		_, err := s.Kind.New([]byte(settings), provider.Environment{})
		if err == nil {
			t.Errorf("%s: New accepts it", what)
			continue
		}
		holdsNone(t, err.Error(), s.Credentials)
		if err := s.vendor(t).Sign([]byte(settings), s.SigningKey, &provider.Request{}); err != nil {
			holdsNone(t, err.Error(), s.Credentials)
		}
	}
}

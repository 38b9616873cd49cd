package wire_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider/wire"
)

func TestHalvesOfCharactersAreReplaced(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"a":"cut \ud83e","b":1}`:           "cut \ufffd",
		`{"a":"\uD83E"}`:                     "\ufffd",
		`{"a":"\udd14 first"}`:               "\ufffd first",
		`{"a":"\ud83e\ud83e\udd14"}`:         "\ufffd\U0001F914",
		`{"a":"\ud83e\n\\\ud83e\u0041\ud8"}`: "",
		`{"a":"\\ud83e"}`:                    `\ud83e`,
		`{"a":"\ud83e\udd14"}`:               "\U0001F914",
	} {
		before := strings.Clone(body)
		got := ""
		err := wire.Single([]byte(body), func(item wire.Item) error {
			got = item.Text("a")
			if _, err := jsontext.AppendFormat(nil, item.Raw); err != nil {
				t.Errorf("%s: the JSON that is kept: %v", body, err)
			}
			return nil
		})
		if got != want || (err == nil) != (want != "") || body != before {
			t.Errorf("%s: %q, %v, want %q", body, got, err, want)
		}
	}
	count := 0
	for item, err := range wire.Items([]byte(`[{"a":"\ud83e"},{"a":"\udd14"}]`)) {
		if count++; err != nil || item.Text("a") != "\ufffd" {
			t.Errorf("item %d: %q, %v", count, item.Text("a"), err)
		}
	}
}

// FuzzMend holds what is mended against a decoder that replaces halves of characters by itself.
func FuzzMend(f *testing.F) {
	for _, seed := range seeds(f) {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		before := bytes.Clone(body)
		mended := wire.Mend(body)
		if !bytes.Equal(body, before) {
			t.Fatal("the body was changed")
		}
		lenient := jsontext.AllowInvalidUTF8(true)
		want, wantErr := jsontext.AppendFormat(nil, before, lenient, jsontext.AllowDuplicateNames(true), jsontext.CanonicalizeRawInts(false))
		got, err := jsontext.AppendFormat(nil, mended, lenient, jsontext.AllowDuplicateNames(true), jsontext.CanonicalizeRawInts(false))
		if (err == nil) != (wantErr == nil) || err == nil && !bytes.Equal(got, want) {
			t.Errorf("%.200q, %v, want %.200q, %v", got, err, want, wantErr)
		}
	})
}

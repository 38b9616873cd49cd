package form_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/body/form"
)

// TestEncode has forms read again that were written, also by way of what an event keeps of them.
func TestEncode(t *testing.T) {
	t.Parallel()
	fields := []form.Field{
		{Name: "event", Value: []byte("hard bounce & more=1+1")},
		{Name: "event", Value: []byte("of the same name")},
		{Name: "é\"\\", Value: []byte("ü\r\n--boundary\x00")},
		{Name: "empty", Value: []byte{}},
		{Name: "latin", Value: []byte("caf\xe9")},
	}
	file := form.Field{Name: "attachment-1", Value: []byte("--x\r\n\xff"), File: `a "b" ü.pdf`, MediaType: "application/pdf"}
	for name, f := range map[string]form.Form{
		"percent-encoded": {MediaType: form.URLEncoded, Fields: fields},
		"multipart":       {MediaType: form.Multipart, Fields: append(slices.Clip(fields), file)},
		"no fields":       {MediaType: form.URLEncoded},
		"no parts":        {MediaType: form.Multipart},
	} {
		body, contentType, err := f.Encode()
		if err != nil || !strings.HasPrefix(contentType, f.MediaType) {
			t.Fatalf("%s: %s, %v", name, contentType, err)
		}
		again, err := form.Parse(contentType, body)
		if diff := cmp.Diff(f, again); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
		kept, err := form.Parse("", again.Raw())
		if err != nil {
			t.Fatal(err)
		}
		if twice, _, err := kept.Encode(); err != nil || !bytes.Equal(twice, body) {
			t.Errorf("%s: the same form has other bytes: %q and %q, %v", name, body, twice, err)
		}
	}
}

// TestAFieldStaysWithinItsLine has names that would add a header to their part.
func TestAFieldStaysWithinItsLine(t *testing.T) {
	t.Parallel()
	f := form.Form{MediaType: form.Multipart, Fields: []form.Field{
		{Name: "a\r\nX-Evil: 1", File: "b\nX-Evil: 2", MediaType: "text/plain\r\nX-Evil: 3", Value: []byte("v")},
	}}
	body, contentType, err := f.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(body), "\nX-Evil") {
		t.Errorf("a field adds a header: %q", body)
	}
	if again, err := form.Parse(contentType, body); err != nil || len(again.Fields) != 1 || string(again.Fields[0].Value) != "v" {
		t.Errorf("%+v, %v", again, err)
	}
}

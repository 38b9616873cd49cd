package envelope_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/sink/envelope"
)

func TestSplit(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason, envelope string
		want             []envelope.Attribute
		data             string
	}{
		"in order":     {"consumers see the attributes as they stand", `{"specversion":"1.0","id":"a"}`, []envelope.Attribute{{"specversion", "1.0"}, {"id", "a"}}, ""},
		"verbatim":     {"a large number stays what it is", `{"data": {"n":12345678901234567890, "s":"é"} ,"id":"a"}`, []envelope.Attribute{{"id", "a"}}, `{"n":12345678901234567890, "s":"é"}`},
		"no string":    {"extensions may be numbers and booleans", `{"n":7,"b":true}`, []envelope.Attribute{{"n", "7"}, {"b", "true"}}, ""},
		"escaped":      {"an attribute is text", `{"subject":"a\"\né"}`, []envelope.Attribute{{"subject", "a\"\né"}}, ""},
		"data is null": {"it is what stands there", `{"data":null}`, nil, "null"},
		"empty":        {"it has nothing", `{}`, nil, ""},
	} {
		attributes, data, err := envelope.Split([]byte(tc.envelope))
		if diff := cmp.Diff(tc.want, attributes); diff != "" || string(data) != tc.data || err != nil {
			t.Errorf("%s: %v, data %q, %v: %s", name, err, data, diff, tc.reason)
		}
	}
}

func TestSplitRefuses(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"nothing": "", "a list": "[]", "cut within a name": `{"i`, "cut within a value": `{"id":"a`, "cut behind a value": `{"id":"a"`, "cut behind a comma": `{"id":"a",`, "no value": `{"id":}`,
	} {
		if _, _, err := envelope.Split([]byte(text)); !errors.Is(err, envelope.ErrNotAnEvent) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestDataIsACopy has the memory of the event used again.
func TestDataIsACopy(t *testing.T) {
	t.Parallel()
	text := []byte(`{"id":"a","data":{"k":1}}`)
	attributes, data, err := envelope.Split(text)
	if err != nil {
		t.Fatal(err)
	}
	clear(text)
	if string(data) != `{"k":1}` || attributes[0].Value != "a" {
		t.Errorf("%v, %q", attributes, data)
	}
}

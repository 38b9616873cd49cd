package format

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// encoded returns the value of a bundle of events that are alike.
func encoded(payloads ...string) []byte {
	var w BundleWriter
	for _, p := range payloads {
		w.Add(&Event{OrderingKey: "k", Payload: []byte(p)}, true)
	}
	value := make([]byte, w.Prepare([]Debt{{Sink: 1, Events: SetFrom(0)}}))
	w.Fill(value)
	return value
}

func TestEventsThatAreAlikeTakeLittle(t *testing.T) {
	t.Parallel()
	var payloads []string
	for i := range minPacked {
		payloads = append(payloads, fmt.Sprintf("%s%d", bytes.Repeat([]byte("x"), 500), i))
	}
	value := encoded(payloads...)
	if len(value) > 500 {
		t.Errorf("%d bytes for %d events", len(value), len(payloads))
	}
	b, err := DecodeBundle(value, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range b.Events {
		got = append(got, string(e.Payload))
	}
	if diff := cmp.Diff(payloads, got); diff != "" {
		t.Error(diff)
	}
	for cut := range len(value) { // what is cut is malformed and takes no memory
		if _, err := DecodeBundle(value[:cut], nil); err == nil {
			t.Errorf("the first %d bytes of %d are a bundle", cut, len(value))
		}
	}
	few := encoded(payloads[:minPacked-1]...)
	if len(few) < 500*(minPacked-1) {
		t.Error("a few events are compressed")
	}
}

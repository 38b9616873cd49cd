package sinkaws_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/sinkaws"
)

// TestAttributes has a message whose provider is not known: an attribute without a value would have the service refuse it.
func TestAttributes(t *testing.T) {
	t.Parallel()
	m := sink.Message{Type: "dev.mailvane.email.bounced.v1", Source: "/mailvane/mail/in", Envelope: []byte(`{"id":"1"}`)}
	want := map[string]string{"contentType": "application/cloudevents+json", "type": "email.bounced", "endpoint": "mail/in"}
	if diff := cmp.Diff(want, sinkaws.Attributes(&m)); diff != "" {
		t.Error(diff)
	}
	size := len(m.Envelope)
	for name, value := range want {
		size += len(name) + len("String") + len(value)
	}
	if got := sinkaws.SizeOf(&m); got != size {
		t.Errorf("a size of %d, want %d", got, size)
	}
}

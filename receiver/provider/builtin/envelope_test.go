package builtin_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/mailvane/mailvane/internal/simulate"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/builtin"
)

// TestEveryEventIsACloudEvent reads what every sample becomes with independent readers: the CloudEvents SDK and a JSON
// Schema validator on the published schema.
func TestEveryEventIsACloudEvent(t *testing.T) {
	t.Parallel()
	schema, err := jsonschema.NewCompiler().Compile("../../../docs/reference/event.v1.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, vendor := range simulate.Vendors() {
		settings, err := vendor.Settings()
		if err != nil {
			t.Fatal(err)
		}
		kind, _ := builtin.Lookup(vendor.Type)
		webhook, err := kind.New(settings, provider.Environment{})
		if err != nil {
			t.Fatalf("%s: %v", vendor.Type, err)
		}
		samples, err := vendor.Samples()
		if err != nil {
			t.Fatal(err)
		}
		for _, sample := range samples {
			t.Run(vendor.Type+"/"+sample.Name, func(t *testing.T) {
				t.Parallel()
				r := &provider.Request{Header: sample.Header, Body: sample.Body, ReceivedAt: time.Now()}
				for _, e := range webhook.Decode(r).Events {
					checkEnvelope(t, schema, &e)
				}
			})
		}
	}
}

func checkEnvelope(t *testing.T, schema *jsonschema.Schema, e *event.Event) {
	t.Helper()
	encoded, err := event.Encode(e, event.Source("mail", "endpoint"))
	if err != nil {
		t.Fatal(err)
	}
	var read cloudevents.Event
	if err := json.Unmarshal(encoded, &read); err != nil {
		t.Fatalf("the CloudEvents SDK cannot read %s: %v", encoded, err)
	}
	if err := read.Validate(); err != nil {
		t.Errorf("the CloudEvents SDK refuses %s: %v", encoded, err)
	}
	if read.ID() != e.ID || read.Type() != e.Type.CloudEvents() || read.Source() != "/mailvane/mail/endpoint" || !read.Time().Equal(e.Time) {
		t.Errorf("attributes: %v", read)
	}
	data, err := jsonschema.UnmarshalJSON(bytes.NewReader(read.Data()))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(data); err != nil {
		t.Errorf("the schema refuses %s: %v", read.Data(), err)
	}
}

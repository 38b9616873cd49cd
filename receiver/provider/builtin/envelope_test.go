package builtin_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"testing"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/builtin"
)

// settings are enough to build a webhook whose requests are only decoded.
func settings() map[string]string {
	return map[string]string{
		"WebexConnect": `{"hubSecrets":["x"]}`,
		"MailChannels": `{"customerHandles":["abc123"]}`,
		"EmailEngine":  `{"serviceSecrets":["x"]}`,
		"EngageLab":    `{"appKeys":["x"]}`,
	}
}

// TestEveryEventIsACloudEvent reads what every sample becomes with independent readers: the CloudEvents SDK and a JSON
// Schema validator on the published schema.
func TestEveryEventIsACloudEvent(t *testing.T) {
	t.Parallel()
	schema, err := jsonschema.NewCompiler().Compile("../../../docs/reference/event.v1.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range builtin.Kinds() {
		webhook, err := kind.New([]byte(settings()[kind.Type]), provider.Environment{})
		if err != nil {
			t.Fatalf("%s: %v", kind.Type, err)
		}
		names, err := fs.Glob(kind.Samples, "*.http")
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: %d samples, %v", kind.Type, len(names), err)
		}
		for _, name := range names {
			t.Run(kind.Type+"/"+name, func(t *testing.T) {
				t.Parallel()
				for _, e := range webhook.Decode(readSample(t, kind.Samples, name)).Events {
					checkEnvelope(t, schema, &e)
				}
			})
		}
	}
}

func readSample(t *testing.T, files fs.FS, name string) *provider.Request {
	t.Helper()
	text, err := fs.ReadFile(files, name)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(text)))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return &provider.Request{Header: r.Header, Body: body, ReceivedAt: time.Now()}
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

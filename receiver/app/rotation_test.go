package app_test

import (
	"encoding/json"
	"encoding/pem"
	"net/http/httptest"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mailvane/mailvane/receiver/config"
)

// TestTheAuthorityOfASinkIsReplacedWhileItRuns has a destination with a certificate that the image's authorities did not sign.
func TestTheAuthorityOfASinkIsReplacedWhileItRuns(t *testing.T) {
	t.Parallel()
	crm := &destination{answer: 200, got: map[string]int{}}
	crm.Server = httptest.NewTLSServer(crm)
	t.Cleanup(crm.Close)
	sink := func(authority string) config.Sink {
		settings := map[string]any{"url": crm.URL, "contentMode": "Batched"}
		if authority != "" {
			settings["tls"] = map[string]any{"cas": []string{authority}}
		}
		text, err := json.Marshal(settings)
		if err != nil {
			t.Fatal(err)
		}
		s := httpSink("crm", crm.URL)
		s.Kind.Settings = text
		return s
	}
	r := start(t, vfs.NewMem())
	r.apply(configuration(sink("")))
	r.post("1@example.com")
	eventually(t, "the sink says that it does not know who signed the certificate", func() bool {
		sinks, err := r.client.Sinks(t.Context())
		return err == nil && len(sinks) == 1 && !sinks[0].Healthy && sinks[0].LastError != ""
	})
	r.apply(configuration(sink(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: crm.Certificate().Raw})))))
	eventually(t, "the event arrives with the new authority", func() bool { return crm.has("1@example.com") })
}

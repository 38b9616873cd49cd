package mailchannels_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/mailchannels"
)

// TestKeyServerThatAnswersNonsense checks that an answer which is no key refuses nothing, and that no error tells the id.
func TestKeyServerThatAnswersNonsense(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"a proxy's page": "<html>", "no key": `{"key": "AAAA"}`, "another key than was asked for": `{"id": "x", "key": "MCowBQYDK2VwAyEAA6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="}`,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(answer)) }))
		t.Cleanup(server.Close)
		settings := `{"customerHandles": ["abc123"], "publicKeyURL": "` + server.URL + `"}`
		w, err := mailchannels.Kind().New([]byte(settings), provider.Environment{HTTPClient: server.Client()})
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.Verify(t.Context(), signedRequest(t, "mckey"))
		if _, refused := errors.AsType[*provider.VerifyError](err); err == nil || refused {
			t.Errorf("%s: got %v, want a failure that is no refusal", name, err)
		}
		if err != nil && strings.Contains(err.Error(), "mckey") {
			t.Errorf("%s: the error tells the id: %v", name, err)
		}
	}
}

package intake_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/intake"
	"github.com/mailvane/mailvane/receiver/keys"
	"github.com/mailvane/mailvane/receiver/metrics"
	"github.com/mailvane/mailvane/receiver/provider"
)

// keyServer answers with the key that made the samples of MailChannels, and counts what it is asked.
func keyServer(t *testing.T) (server *httptest.Server, asked *atomic.Int64) {
	t.Helper()
	asked = &atomic.Int64{}
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.URL.Query().Get("id") != "mckey" {
			http.NotFound(w, r)
			return
		}
		_, _ = fmt.Fprint(w, `{"id": "mckey", "key": "MCowBQYDK2VwAyEAA6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="}`)
	}))
	t.Cleanup(server.Close)
	return server, asked
}

// TestForgedKeyIDsElsewhere floods endpoints that anybody can have a key looked up at. One that asks for a further factor still
// finds the key of a request that has it.
func TestForgedKeyIDsElsewhere(t *testing.T) {
	t.Parallel()
	server, asked := keyServer(t)
	now := time.Now() // which stands still: nothing is allowed again
	f := newFrontWith(t, intake.Options{Now: func() time.Time { return now }})
	mailChannels := func(name, verification string, tokens ...string) config.Endpoint {
		return emailEngine(func(e *config.Endpoint) {
			e.Name, e.Path, e.Verification = name, "/hooks/mail/"+name, verification
			e.Provider = config.Plugin{Type: "MailChannels", Settings: fmt.Appendf(nil, `{"customerHandles": ["abc123"], "publicKeyURL": %q}`, server.URL)}
			e.Authentication.PathToken.Secrets = tokens
		})
	}
	compiler := newCompiler(t, metrics.New(prometheus.NewRegistry()))
	compiler.Environment = provider.Environment{HTTPClient: server.Client(), Keys: &keys.Registry{}}
	table, err := compiler.Compile(&config.Config{Version: config.Version, Endpoints: []config.Endpoint{
		mailChannels("open", config.Enforce), mailChannels("shadow", config.Shadow, "secret"), mailChannels("token", config.Enforce, "secret"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	f.handler.Swap(table)
	for i := range 20 {
		for _, path := range []string{"open", "shadow/forged", "token/forged"} {
			r := sample(t, "MailChannels", "delivered", "/hooks/mail/"+path)
			r.Header.Set("Signature-Input", strings.Replace(r.Header.Get("Signature-Input"), `"mckey"`, fmt.Sprintf(`"forged-%d"`, i), 1))
			f.do(r)
		}
	}
	if n := asked.Load(); n > 6 {
		t.Errorf("asked %d times for forged keys", n)
	}
	if a := f.do(sample(t, "MailChannels", "delivered", "/hooks/mail/open")); a.status != http.StatusServiceUnavailable {
		t.Errorf("without another factor: %d %s, want to be told to come again", a.status, a.body)
	}
	if a := f.do(sample(t, "MailChannels", "delivered", "/hooks/mail/token/secret")); a.status != http.StatusOK {
		t.Errorf("with another factor: %d %s", a.status, a.body)
	}
}

package tryout_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mailvane/mailvane/cmd/mailvane/internal/tryout"
	"github.com/mailvane/mailvane/receiver/app"
	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/netguard"
)

const samples = "../../../../internal/simulate/mailchannels/samples/"

// try tries a request in a file at an endpoint of MailChannels for which a test changes something.
func try(t *testing.T, path string, client *http.Client, change func(*config.Endpoint)) *tryout.Result {
	t.Helper()
	e := config.Endpoint{
		Namespace: "mail", Name: "mailchannels", Path: "/hooks/mail/mailchannels", Verification: config.Enforce, State: config.Active, MaxBodyBytes: 1 << 20,
		Provider: config.Plugin{Type: "MailChannels", Settings: []byte(`{"customerHandles": ["abc123"], "publicKeys": [{"id": "mckey", "key": "MCowBQYDK2VwAyEAA6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="}]}`)},
		Routes:   []config.Route{{Name: "all", Sink: "crm"}},
	}
	change(&e)
	cfg := &config.Config{Version: config.Version, Endpoints: []config.Endpoint{e}}
	table, err := tryout.Table(cfg, client)
	if err != nil {
		t.Fatal(err)
	}
	captured, err := tryout.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	spec, found, token, err := tryout.Find(cfg, table, "", captured.URL.Path)
	if err != nil {
		t.Fatal(err)
	}
	trial := tryout.Trial{Endpoint: found, Spec: spec, Token: token, Request: captured, At: time.Date(2025, time.February, 6, 19, 0, 0, 0, time.UTC)}
	return trial.Run(t.Context())
}

// forged returns a file with a request whose body is not the one that was signed.
func forged(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(samples + "delivered.http")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "forged.http")
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), "recipient@example.com", "recipient@example.net", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestAllowedCIDRs has endpoints for addresses alone: what was captured does not say where it came from, so it is tried as if it came from one
// that passes.
func TestAllowedCIDRs(t *testing.T) {
	t.Parallel()
	for name, ranges := range map[string][]string{
		"a range": {"203.0.113.0/24"}, "an address": {"203.0.113.7"}, "IPv6": {"2001:db8::/32"}, "an address of IPv6": {"2001:db8::1"}, "several": {"198.51.100.1", "203.0.113.0/24"},
	} {
		r := try(t, samples+"delivered.http", nil, func(e *config.Endpoint) { e.Authentication.AllowedCIDRs = ranges })
		if !r.Verified || r.Refusal != "" || len(r.Events) != 1 || r.Failed() {
			t.Errorf("%s: %+v", name, r)
		}
	}
	r := try(t, samples+"delivered.http", nil, func(e *config.Endpoint) {
		e.Authentication.AllowedCIDRs = []string{"203.0.113.0/24"}
		e.Authentication.PathToken.Secrets = []string{"a-token-of-16-bytes"}
	})
	if r.Verified || !strings.Contains(r.Refusal, "pathToken") {
		t.Errorf("beside a token that is not there: %+v", r)
	}
}

// TestShadow has what an endpoint takes although it is not authentic: it says so, and fails all the same.
func TestShadow(t *testing.T) {
	t.Parallel()
	shadow := func(e *config.Endpoint) { e.Verification = config.Shadow }
	if r := try(t, samples+"delivered.http", nil, shadow); !r.Verified || !r.Shadow || r.Failed() || r.Key != "mckey" {
		t.Errorf("an authentic request: %+v", r)
	}
	if r := try(t, forged(t), nil, shadow); r.Verified || !r.Shadow || !r.Failed() || r.Refusal == "" || len(r.Events) != 1 {
		t.Errorf("a forged request: %+v", r)
	}
	if r := try(t, forged(t), nil, func(*config.Endpoint) {}); r.Verified || r.Shadow || len(r.Events) != 1 {
		t.Errorf("a forged request, enforced: %+v", r)
	}
}

// TestFetchedKeys has keys that are not in the manifests. They are fetched as a receiver does: from no metadata service, and by no redirect.
func TestFetchedKeys(t *testing.T) {
	t.Parallel()
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		switch {
		case r.URL.Path == "/moved":
			http.Redirect(w, r, "/", http.StatusFound)
		case r.URL.Query().Get("id") == "mckey":
			_, _ = w.Write([]byte(`{"id": "mckey", "key": "MCowBQYDK2VwAyEAA6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="}`))
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	at := func(url string) func(*config.Endpoint) {
		return func(e *config.Endpoint) {
			e.Provider.Settings = []byte(`{"customerHandles": ["abc123"], "publicKeyURL": "` + url + `"}`)
		}
	}
	client := app.KeyClient(netguard.Guard{})
	if r := try(t, samples+"delivered.http", client, at(server.URL)); !r.Verified || r.Key != "mckey" || asked != 1 {
		t.Errorf("fetched %d times: %+v", asked, r)
	}
	for what, url := range map[string]string{
		"a metadata service": "http://169.254.169.254/latest/meta-data", "the same, in IPv6": "http://[fd00:ec2::254]/", "a redirect": server.URL + "/moved",
	} {
		r := try(t, samples+"delivered.http", client, at(url))
		if r.Verified || !strings.Contains(r.Refusal, "could not be decided") || len(r.Events) != 1 {
			t.Errorf("%s: %+v", what, r)
		}
	}
	if asked != 2 {
		t.Errorf("the server was asked %d times", asked)
	}
	if r := try(t, samples+"delivered.http", nil, at(server.URL)); r.Verified {
		t.Errorf("without a client: %+v", r)
	}
}

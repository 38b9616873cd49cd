package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	testprocess "github.com/mailvane/mailvane/test/process"
)

// target takes events as a service of somebody's own does, and fails for a while.
type target struct {
	mu       sync.Mutex
	got      []string
	unsigned int
	failing  int
}

func (s *target) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, _ := io.ReadAll(r.Body) // what is cut is no event
	if r.Header.Get("Webhook-Signature") == "" {
		s.unsigned++
	}
	if s.failing > 0 {
		s.failing--
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	_, recipient, _ := strings.Cut(string(body), `"recipient":"`)
	recipient, _, _ = strings.Cut(recipient, `"`)
	s.got = append(s.got, recipient)
}

func (s *target) all() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.got, " ")
}

// TestListen posts what has come before and what comes, in order and once, over a service that fails and a receiver that is killed and comes back.
func TestListen(t *testing.T) {
	t.Parallel()
	service := &target{failing: 1}
	server := httptest.NewServer(service)
	t.Cleanup(server.Close)
	folder, data := t.TempDir(), t.TempDir()
	write(t, folder, "all.yaml", tracedManifest)
	secret := filepath.Join(t.TempDir(), "secret")
	must(t, os.WriteFile(secret, []byte("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"), 0o600))
	tokens := filepath.Join(t.TempDir(), "tokens")
	must(t, os.WriteFile(tokens, []byte(strings.Repeat("a-token-of-a-test", 4)), 0o600))
	address, err := testprocess.FreeAddress(t.Context())
	must(t, err)
	post := func(p *process, who string) {
		t.Helper()
		body := strings.ReplaceAll(opened, "ada@", who+"@")
		response, err := http.Post(p.url+"/hooks/postmark/a-token-that-nobody-may-see", "application/json", strings.NewReader(body)) //nolint:noctx // It is short.
		must(t, err)
		must(t, response.Body.Close())
		if response.StatusCode != http.StatusOK {
			t.Fatal(response.Status)
		}
	}
	p := start(t, folder, data, "--admin-listen", address, "--admin-token-file", tokens)
	post(p, "before")
	post(p, "left-out")
	c := exec.Command(os.Args[0], "listen", "--admin", address, "--admin-token-file", tokens, "--to", server.URL, "--since", "1h", //nolint:noctx // It is stopped by a signal.
		"--filter", `event.recipient != "left-out@example.com"`, "--secret-file", secret)
	c.Env = append(os.Environ(), asProgram+"=1")
	var mu sync.Mutex
	out := &lockedBuffer{mu: &mu}
	c.Stdout, c.Stderr = out, out
	must(t, c.Start())
	t.Cleanup(func() { _ = c.Process.Kill() })
	eventually(t, "what was there is posted", func() bool { return service.all() == "before@example.com" })
	post(p, "first")
	eventually(t, "what comes is posted", func() bool { return service.all() == "before@example.com first@example.com" })
	p.kill()
	eventually(t, "it is said", func() bool { return strings.Contains(out.String(), "asked again") })
	p = start(t, folder, data, "--admin-listen", address, "--admin-token-file", tokens)
	post(p, "second")
	want := "before@example.com first@example.com second@example.com"
	eventually(t, "nothing is missed", func() bool { return service.all() == want })
	must(t, c.Process.Signal(syscall.SIGTERM))
	if err := c.Wait(); err != nil || service.all() != want || service.unsigned != 0 {
		t.Errorf("%v; %s; %d unsigned\n%s", err, service.all(), service.unsigned, out.String())
	}
	p.stop()
}

// lockedBuffer is what a process has printed so far.
type lockedBuffer struct {
	mu   *sync.Mutex
	text strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return fmt.Fprint(&b.text, string(p))
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

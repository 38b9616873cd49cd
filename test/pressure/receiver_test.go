// Package pressure attacks a real receiver process over real connections, and checks each time that providers notice nothing.
package pressure

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mailvane/mailvane/internal/simulate/emailengine"
	"github.com/mailvane/mailvane/receiver/admin"
	"github.com/mailvane/mailvane/receiver/admin/access"
	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/test/process"
)

const (
	hook     = "/hooks/mail/ee"
	settings = `{"serviceSecrets":["0123456789abcdef0123456789abcdef"]}`
	// soonEnough is what EmailEngine gives for its answer, and ten times what the most impatient provider does (EngageLab, 3 s): these
	// tests share the machine with their own attacks and with other tests, and the machine with others. What an attack holds up
	// is held up for longer.
	soonEnough = 30 * time.Second
)

// program is the compiled receiver.
var program = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "mailvane-pressure-")
	if err != nil {
		return "", err
	}
	return process.Build(context.Background(), folder, "cmd/receiver")
})

func TestMain(m *testing.M) {
	code := m.Run()
	if file, err := program(); err == nil {
		_ = os.RemoveAll(filepath.Dir(file))
	}
	os.Exit(code)
}

// receiver is a running process.
type receiver struct {
	t       *testing.T
	folder  string // of the configuration
	address string
	admin   *admin.Client
	pid     int
}

var ready = regexp.MustCompile(`"msg":"receiver serves","webhooks":"([^"]+)","admin":"([^"]+)"`)

// start runs a receiver with a configuration until the test ends.
func start(t *testing.T, c *config.Config, flags ...string) *receiver {
	t.Helper()
	file, err := program()
	if err != nil {
		t.Fatal(err)
	}
	r := &receiver{t: t, folder: t.TempDir()}
	r.configure(c)
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	token := access.NewToken()
	tokenFile := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(tokenFile, []byte(token), 0o600); err != nil {
		t.Fatal(err)
	}
	flags = append([]string{
		"--admin-token-file", tokenFile, "--metrics-listen", "127.0.0.1:0", "--config", r.folder, "--data", t.TempDir(), "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0",
		"--allow-sink-addresses", "self", "--shutdown-delay", "0", "--flush-timeout", "100ms",
	}, flags...)
	process := exec.Command(file, flags...) //nolint:noctx // it is ended by a signal
	process.Stderr = log
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = process.Process.Signal(syscall.SIGTERM)
		if err := process.Wait(); err != nil {
			t.Errorf("orderly stop: %v", err)
		}
	})
	r.pid = process.Process.Pid
	eventually(t, "the receiver is ready", func() bool {
		text, err := os.ReadFile(log.Name())
		if err != nil {
			t.Fatal(err)
		}
		said := ready.FindSubmatch(text)
		if said == nil {
			return false
		}
		r.address = string(said[1])
		r.admin = &admin.Client{BaseURL: "http://" + string(said[2]), Token: token, HTTP: &http.Client{Timeout: time.Minute}}
		return true
	})
	return r
}

// configure replaces the configuration in the folder, in one step as the kubelet does.
func (r *receiver) configure(c *config.Config) {
	r.t.Helper()
	document, err := json.Marshal(c)
	if err != nil {
		r.t.Fatal(err)
	}
	unfinished := filepath.Join(r.folder, ".unfinished")
	if err := os.WriteFile(unfinished, document, 0o600); err != nil {
		r.t.Fatal(err)
	}
	if err := os.Rename(unfinished, filepath.Join(r.folder, config.FileName)); err != nil {
		r.t.Fatal(err)
	}
}

// endpoint is an EmailEngine endpoint that routes everything to the sink.
func endpoint(name string) config.Endpoint {
	return config.Endpoint{
		Namespace: "mail", Name: name, Path: "/hooks/mail/" + name, Provider: config.Plugin{Type: "EmailEngine", Settings: []byte(settings)},
		Verification: config.Enforce, State: config.Active, MaxBodyBytes: 10 << 20,
		Routes: []config.Route{{Name: "all", Sink: "sink"}},
	}
}

// configuration has the given endpoints, endpoint "ee", and one sink.
func configuration(sinkURL string, endpoints ...config.Endpoint) *config.Config {
	return &config.Config{
		Version: config.Version, Endpoints: append(endpoints, endpoint("ee")),
		Sinks: []config.Sink{{
			Namespace: "mail", Name: "sink",
			Kind: config.Plugin{Type: "HTTP", Settings: fmt.Appendf(nil, `{"url":%q,"contentMode":"Batched"}`, sinkURL)},
			Delivery: config.Delivery{
				MaxInFlight: 2, BatchMaxEvents: 100, BatchMaxBytes: 1 << 20, TimeoutSeconds: 60,
				InitialBackoffMilliseconds: 10, MaxBackoffSeconds: 1, MaxAgeSeconds: 3600, Ordering: config.Unordered,
			},
		}},
	}
}

// event returns the body of one event.
func event(id int) string {
	return fmt.Sprintf(`{"account":"a","date":"2026-01-02T03:04:05.678Z","event":"trackOpen","data":{"messageId":"<%d@example.com>"}}`, id)
}

// signed returns a request as EmailEngine would send it.
func (r *receiver) signed(path, body string) *http.Request {
	r.t.Helper()
	p := &provider.Request{Header: http.Header{}, Body: []byte(body), ReceivedAt: time.Now()}
	if err := emailengine.Sign([]byte(settings), nil, p); err != nil {
		r.t.Fatal(err)
	}
	q, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "http://"+r.address+path, bytes.NewReader(p.Body))
	if err != nil {
		r.t.Fatal(err)
	}
	q.Header = p.Header
	return q
}

// post sends a request on a connection of its own and returns the status; 0 is no answer.
func (r *receiver) post(q *http.Request) int {
	status, _ := r.answer(q)
	return status
}

// answer is post with the header Retry-After.
func (r *receiver) answer(q *http.Request) (status int, retryAfter string) {
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(q)
	if err != nil {
		return 0, ""
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.Copy(io.Discard, response.Body) // the status is the answer
	return response.StatusCode, response.Header.Get("Retry-After")
}

// provide sends events all the time, as a provider does, until stop is called. All must be answered 200, soon enough.
func (r *receiver) provide() (stop func()) {
	r.t.Helper()
	ended, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		slowest, sent := time.Duration(0), 0
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for ; ; sent++ {
			select {
			case <-ended:
				r.t.Logf("%d events were answered 200 meanwhile, the slowest after %v", sent, slowest.Round(time.Millisecond))
				return
			case <-tick.C:
			}
			started := time.Now()
			if status := r.post(r.signed(hook, event(sent))); status != http.StatusOK {
				r.t.Errorf("a provider is answered %d", status)
			}
			took := time.Since(started)
			slowest = max(slowest, took)
			if took > soonEnough {
				r.t.Errorf("a provider is answered after %v", took)
			}
		}
	}()
	return func() {
		close(ended)
		<-done
	}
}

// attack sends text on a connection of its own, and returns what was answered and how long the connection lived.
func (r *receiver) attack(text string) (answer string, lived time.Duration) {
	started := time.Now()
	var dialer net.Dialer
	c, err := dialer.DialContext(context.Background(), "tcp", r.address)
	if err != nil {
		r.t.Error(err)
		return "", 0
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(started.Add(2 * time.Minute))
	_, _ = io.WriteString(c, text) // the receiver may have hung up
	read, _ := io.ReadAll(c)
	return string(read), time.Since(started)
}

// memory returns the largest amount of memory that the process has had, in bytes; 0 where the system does not say.
func (r *receiver) memory() int64 {
	r.t.Helper()
	text, err := os.ReadFile("/proc/" + strconv.Itoa(r.pid) + "/status")
	if err != nil {
		return 0
	}
	peak := regexp.MustCompile(`VmHWM:\s*(\d+) kB`).FindSubmatch(text)
	if peak == nil {
		return 0
	}
	kilobytes, err := strconv.ParseInt(string(peak[1]), 10, 64)
	if err != nil {
		r.t.Fatal(err)
	}
	return kilobytes << 10
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

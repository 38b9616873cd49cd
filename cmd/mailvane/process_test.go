package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mailvane/mailvane/cmd/mailvane/internal/command"
)

// asProgram makes the test binary be the program: the tests start, kill and restart real processes.
const asProgram = "MAILVANE_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		os.Exit(command.Run(os.Args, os.Stdout, os.Stderr))
	}
	os.Exit(runTests(m))
}

// runTests keeps the tokens of the test's processes among themselves.
func runTests(m *testing.M) int {
	folder, err := os.MkdirTemp("", "mailvane-tokens-")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(folder) }() // the system cleans up after us
	if err := os.Setenv("XDG_RUNTIME_DIR", folder); err != nil {
		panic(err)
	}
	return cluster.Run(m)
}

// mailvane runs the program to its end and returns what it printed on both streams.
func mailvane(t *testing.T, arguments ...string) (output string, status int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, os.Args[0], arguments...)
	c.Env = append(os.Environ(), asProgram+"=1")
	out, err := c.CombinedOutput()
	if err != nil && c.ProcessState == nil {
		t.Fatal(err)
	}
	return string(out), c.ProcessState.ExitCode()
}

// process is a running `mailvane run`.
type process struct {
	t          *testing.T
	command    *exec.Cmd
	url, admin string
	metrics    string

	mu     sync.Mutex
	stdout bytes.Buffer
	stderr bytes.Buffer
}

var (
	endpointLine = regexp.MustCompile(`\): (http://[^/\s]+)/`)
	metricsLine  = regexp.MustCompile(`metrics and probes: (http://\S+)`)
	adminLine    = regexp.MustCompile(`admin API: (http://\S+)`)
)

// start runs `mailvane run` on a folder and waits until it serves.
func start(t *testing.T, folder, data string, more ...string) *process {
	t.Helper()
	return startIn(t, nil, folder, data, more...)
}

// startIn does so with more in the environment.
func startIn(t *testing.T, environment []string, folder, data string, more ...string) *process {
	t.Helper()
	p := &process{t: t}
	arguments := append([]string{"run", "-f", folder, "--data", data, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"}, more...)
	p.command = exec.Command(os.Args[0], arguments...) //nolint:noctx // it is stopped by signals
	p.command.Env = slices.Concat(os.Environ(), []string{asProgram + "=1"}, environment)
	p.command.Stdout = locked{&p.mu, &p.stdout}
	stderr, err := p.command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.command.Process.Kill() })
	ready := make(chan struct{})
	go p.read(stderr, ready)
	select {
	case <-ready:
	case <-time.After(time.Minute):
		t.Fatalf("not serving after a minute:\n%s", p.log())
	}
	return p
}

func (p *process) read(stderr io.Reader, ready chan struct{}) {
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		p.mu.Lock()
		p.stderr.WriteString(lines.Text() + "\n")
		if m := endpointLine.FindStringSubmatch(lines.Text()); m != nil {
			p.url = m[1]
		}
		if m := metricsLine.FindStringSubmatch(lines.Text()); m != nil {
			p.metrics = m[1]
		}
		m := adminLine.FindStringSubmatch(lines.Text())
		if m != nil {
			p.admin = m[1]
		}
		p.mu.Unlock()
		if m != nil {
			close(ready)
		}
	}
}

func (p *process) log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stderr.String()
}

func (p *process) printed() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stdout.String()
}

// kill ends the process as a crash does.
func (p *process) kill() {
	p.t.Helper()
	if err := p.command.Process.Kill(); err != nil {
		p.t.Fatal(err)
	}
	_ = p.command.Wait() // it was killed
}

// stop ends the process as an operator does.
func (p *process) stop() {
	p.t.Helper()
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	if err := p.command.Wait(); err != nil {
		p.t.Errorf("orderly stop: %v\n%s", err, p.log())
	}
}

// probe returns the status of the answer to a GET where webhooks are taken.
func (p *process) probe(path string) int {
	p.t.Helper()
	q, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, p.url+path, http.NoBody)
	if err != nil {
		p.t.Fatal(err)
	}
	response, err := (&http.Client{Timeout: time.Minute}).Do(q)
	if err != nil {
		p.t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}

// locked is a writer that shares a buffer with readers.
type locked struct {
	mu *sync.Mutex
	to *bytes.Buffer
}

func (l locked) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.to.Write(b)
}

// write puts a manifest into a folder.
func write(t *testing.T, folder, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// eventually polls until the condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

// destination is an HTTP server behind an HTTP sink, on an address that outlives it.
type destination struct {
	mu     sync.Mutex
	answer int
	got    map[string]int // how often each event id came
	server *http.Server
}

var idMember = regexp.MustCompile(`"specversion":"1.0","id":"([0-9a-f]+)"`)

func (d *destination) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil || d.answer != http.StatusOK {
		http.Error(w, "no such list", d.answer)
		return
	}
	for _, m := range idMember.FindAllStringSubmatch(string(body), -1) {
		d.got[m[1]]++
	}
}

func (d *destination) decide(answer int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.answer = answer
}

func (d *destination) distinct() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.got)
}

func (d *destination) repeated() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := 0
	for _, times := range d.got {
		n += times - 1
	}
	return n
}

const secrets = `apiVersion: v1
kind: Secret
metadata: {name: emailengine, namespace: mail}
stringData: {serviceSecret: 0123456789abcdef0123456789abcdef}
`

func endpoint(name, routes string) string {
	return strings.ReplaceAll(`apiVersion: mailvane.dev/v1alpha1
kind: WebhookEndpoint
metadata: {name: NAME, namespace: mail}
spec:
  provider:
    type: EmailEngine
    emailEngine:
      serviceSecretRefs: [{name: emailengine, key: serviceSecret}]
  routes:
`, "NAME", name) + routes
}

func httpSink(name, url string) string {
	return strings.NewReplacer("NAME", name, "URL", url).Replace(`apiVersion: mailvane.dev/v1alpha1
kind: EventSink
metadata: {name: NAME, namespace: mail}
spec:
  type: HTTP
  http: {url: URL, contentMode: Batched}
`)
}

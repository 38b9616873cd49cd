package app_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mailvane/mailvane/internal/simulate/emailengine"
	"github.com/mailvane/mailvane/receiver/admin"
	"github.com/mailvane/mailvane/receiver/admin/access"
	"github.com/mailvane/mailvane/receiver/app"
	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/embedded"
	"github.com/mailvane/mailvane/receiver/provider"
)

const (
	settings = `{"serviceSecrets":["0123456789abcdef0123456789abcdef"]}`
	hook     = "/hooks/mail/ee"
)

// receiver is a whole receiver in the test's process, on loopback.
type receiver struct {
	*app.Receiver
	t          *testing.T
	url, back  string
	probes     string // the URL of metrics and probes
	client     *admin.Client
	stop       func() error
	httpClient *http.Client
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	var config net.ListenConfig
	l, err := config.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func start(t *testing.T, disk vfs.FS) *receiver {
	t.Helper()
	return startWith(t, disk, app.Handoff{})
}

func startWith(t *testing.T, disk vfs.FS, handoff app.Handoff) *receiver {
	t.Helper()
	return startOn(t, open(t, disk), handoff)
}

func open(t *testing.T, disk vfs.FS) *embedded.Journal {
	t.Helper()
	j, err := embedded.Open(embedded.Options{Dir: "journal", FS: disk, MinFreeBytes: -1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// startOn starts a receiver that has the journal.
func startOn(t *testing.T, j journal.Journal, handoff app.Handoff, change ...func(*app.Options)) *receiver {
	t.Helper()
	webhooks, back, probes := listen(t), listen(t), listen(t)
	o := app.Options{Journal: j, Logger: slog.New(slog.DiscardHandler), FlushTimeout: 5 * time.Second, Handoff: handoff, AdminKeys: keyring(t)}
	if handoff.Key != nil {
		o.ConfigKey = handoff.Key
	}
	if handoff.Peers != "" {
		o.FlushTimeout = 10 * time.Millisecond
		if !handoff.Self.IsValid() {
			o.Handoff.Self = netip.MustParseAddrPort(back.Addr().String())
		}
	}
	for _, c := range change {
		c(&o)
	}
	r, err := app.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Serve(ctx, app.Listeners{Webhooks: webhooks, Admin: back, Metrics: probes}) }()
	stop := sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	return &receiver{
		Receiver: r, t: t, url: "http://" + webhooks.Addr().String(), back: back.Addr().String(), stop: stop,
		probes:     "http://" + probes.Addr().String(),
		client:     adminOf(back.Addr().String()),
		httpClient: &http.Client{Timeout: time.Minute},
	}
}

// token returns the token of a right.
func token(right access.Right) string { return strings.Repeat(right.String()+"-", 8) }

// tokens returns a folder with the tokens.
func tokens(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	for _, right := range access.Rights() {
		if err := os.WriteFile(filepath.Join(folder, right.String()), []byte(token(right)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// keyring returns what knows the tokens.
func keyring(t *testing.T) access.Keyring {
	t.Helper()
	var keys access.Keyring
	keys.AddFolder(tokens(t))
	return keys
}

// adminOf returns a client of an admin API with every right.
func adminOf(address string) *admin.Client {
	return &admin.Client{BaseURL: "http://" + address, Token: token(access.Privacy), HTTP: &http.Client{Timeout: time.Minute}}
}

func delivery() config.Delivery {
	return config.Delivery{
		MaxInFlight: 4, BatchMaxEvents: 100, BatchMaxBytes: 1 << 20, TimeoutSeconds: 5,
		InitialBackoffMilliseconds: 10, MaxBackoffSeconds: 1, MaxAgeSeconds: 3600, Ordering: config.Unordered,
	}
}

func httpSink(name, url string) config.Sink {
	return config.Sink{
		Namespace: "mail", Name: name, Delivery: delivery(),
		Kind: config.Plugin{Type: "HTTP", Settings: fmt.Appendf(nil, `{"url":%q,"contentMode":"Batched"}`, url)},
	}
}

// configuration has one EmailEngine endpoint that routes everything to every sink.
func configuration(sinks ...config.Sink) *config.Config {
	e := config.Endpoint{
		Namespace: "mail", Name: "ee", Path: hook, Provider: config.Plugin{Type: "EmailEngine", Settings: []byte(settings)},
		Verification: config.Enforce, State: config.Active, MaxBodyBytes: 1 << 20,
	}
	for _, s := range sinks {
		e.Routes = append(e.Routes, config.Route{Name: s.Name, Sink: s.Name})
	}
	return &config.Config{Version: config.Version, Endpoints: []config.Endpoint{e}, Sinks: sinks}
}

func (r *receiver) apply(c *config.Config) {
	r.t.Helper()
	if err := r.Apply(r.t.Context(), c); err != nil {
		r.t.Fatal(err)
	}
}

func eventOf(messageID string) string {
	return fmt.Sprintf(`{"account":"a","date":"2026-01-02T03:04:05.678Z","event":"trackOpen","data":{"messageId":"<%s>"}}`, messageID)
}

// post sends a signed event whose message id is the given one, and returns the status.
func (r *receiver) post(messageID string) int { return r.postBody(eventOf(messageID)) }

func (r *receiver) postBody(body string) int {
	r.t.Helper()
	status, _ := r.exchange(body)
	return status
}

// exchange posts a body with its signature, and returns the answer.
func (r *receiver) exchange(body string) (status int, answer string) {
	r.t.Helper()
	p := &provider.Request{Header: http.Header{}, Body: []byte(body), ReceivedAt: time.Now()}
	if err := emailengine.Sign([]byte(settings), nil, p); err != nil {
		r.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, r.url+hook, bytes.NewReader(p.Body))
	if err != nil {
		r.t.Fatal(err)
	}
	request.Header = p.Header
	response, err := r.httpClient.Do(request)
	if err != nil {
		r.t.Error(err)
		return 0, ""
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		r.t.Error(err)
	}
	return response.StatusCode, string(text)
}

// postedAs returns the answer to an event.
func (r *receiver) postedAs(messageID string) string {
	r.t.Helper()
	_, body := r.exchange(eventOf(messageID))
	return body
}

// refusedPosts says whether the receiver takes no more requests.
func (r *receiver) refusedPosts() bool {
	request, err := http.NewRequestWithContext(r.t.Context(), http.MethodHead, r.url+hook, http.NoBody)
	if err != nil {
		r.t.Fatal(err)
	}
	response, err := r.httpClient.Do(request)
	if err == nil {
		_ = response.Body.Close()
	}
	return err != nil
}

// destination is a server behind an HTTP sink.
type destination struct {
	*httptest.Server
	mu     sync.Mutex
	answer int
	pause  time.Duration // before each answer
	got    map[string]int
}

var messageID = regexp.MustCompile(`"messageId":"([^"<]+)"`)

func newDestination(t *testing.T) *destination {
	t.Helper()
	d := &destination{answer: http.StatusOK, got: map[string]int{}}
	d.Server = httptest.NewServer(d)
	t.Cleanup(d.Close)
	return d
}

func (d *destination) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	time.Sleep(d.pause)
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil || d.answer != http.StatusOK {
		w.WriteHeader(d.answer)
		return
	}
	for _, m := range messageID.FindAllSubmatch(body, -1) {
		d.got[string(m[1])]++
	}
}

func (d *destination) decide(answer int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.answer = answer
}

func (d *destination) has(ids ...string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, id := range ids {
		if d.got[id] == 0 {
			return false
		}
	}
	return true
}

func (d *destination) times(id string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.got[id]
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

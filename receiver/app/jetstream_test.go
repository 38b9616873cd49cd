package app_test

import (
	"context"
	"flag"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	client "github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/mailvane/mailvane/receiver/admin"
	"github.com/mailvane/mailvane/receiver/app"
	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/test/nats"
)

// startShared starts a receiver that keeps its events at the servers, as a program with these flags does.
func startShared(t *testing.T, c *nats.Cluster, flags ...string) *receiver {
	t.Helper()
	return startLogging(t, c, slog.New(slog.DiscardHandler), flags...)
}

func startLogging(t *testing.T, c *nats.Cluster, log *slog.Logger, flags ...string) *receiver {
	t.Helper()
	var settings app.Settings
	f := flag.NewFlagSet("receiver", flag.ContinueOnError)
	settings.Flags(f, app.Settings{Listen: "127.0.0.1:0", AdminListen: "127.0.0.1:0", MetricsListen: "127.0.0.1:0", FlushTimeout: time.Second})
	flags = append([]string{
		"--journal=JetStream", "--jetstream-urls=" + strings.Join(c.URLs(), ","), "--jetstream-stream=test",
		"--jetstream-replicas=1", "--allow-sink-addresses=self", "--journal-max-bytes=67108864", "--admin-tokens=" + tokens(t),
	}, flags...)
	if err := f.Parse(flags); err != nil {
		t.Fatal(err)
	}
	instance, err := settings.Open(t.Context(), log, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- instance.Run(ctx) }()
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
		Receiver: instance.Receiver, t: t, url: "http://" + instance.Address(), back: instance.AdminAddress(), stop: stop,
		probes:     "http://" + instance.MetricsAddress(),
		client:     adminOf(instance.AdminAddress()),
		httpClient: &http.Client{Timeout: time.Minute},
	}
}

func startServer(t *testing.T) *nats.Cluster {
	t.Helper()
	c, err := nats.Start(t.Context(), nats.Options{Servers: 1, Dir: t.TempDir(), Progress: os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// problem returns what the admin API says about the journal.
func (r *receiver) problem() string {
	r.t.Helper()
	return r.loaded().JournalProblem
}

// loaded returns what the admin API says about the configuration.
func (r *receiver) loaded() config.Loaded {
	r.t.Helper()
	response := r.ask(r.client.BaseURL+config.LoadedPath, r.client.Token)
	defer func() { _ = response.Body.Close() }()
	var loaded config.Loaded
	if err := json.UnmarshalRead(response.Body, &loaded); err != nil {
		r.t.Fatal(err)
	}
	return loaded
}

// wantState checks what the receiver says about its journal and does with a webhook.
func (r *receiver) wantState(ready, webhook int, problem string) {
	r.t.Helper()
	eventually(r.t, "the journal's problem is "+problem, func() bool {
		text := r.problem()
		return strings.Contains(text, problem) && (text == "") == (problem == "")
	})
	if status := r.probe(admin.PathReady); status != ready {
		r.t.Errorf("/readyz answers %d, want %d", status, ready)
	}
	status := r.post(problem + "@example.com")
	for deadline := time.Now().Add(time.Minute); status != webhook && time.Now().Before(deadline); {
		status = r.post(problem + "@example.com") // a server that comes back takes a moment
	}
	if status != webhook {
		r.t.Errorf("a webhook is answered %d, want %d", status, webhook)
	}
}

// TestAReceiverServesWhileItsJournalCannot starts before the server does, and loses the server and a stream's good settings later.
func TestAReceiverServesWhileItsJournalCannot(t *testing.T) {
	t.Parallel()
	c := startServer(t)
	server := c.Servers[0]
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	r := startShared(t, c)
	crm := newDestination(t)
	r.apply(configuration(httpSink("crm", crm.URL)))
	r.wantState(http.StatusServiceUnavailable, http.StatusServiceUnavailable, "connect to NATS")
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.wantState(http.StatusOK, http.StatusOK, "")
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	r.wantState(http.StatusOK, http.StatusServiceUnavailable, "stream test cannot be read")
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.wantState(http.StatusOK, http.StatusOK, "")
	if status := r.post("last@example.com"); status != http.StatusOK {
		t.Errorf("answer %d", status)
	}
	eventually(t, "the event arrives", func() bool { return crm.has("last@example.com") })
}

// TestAStreamThatDoesNotFitIsSaidAtTheHTTPSeam adopts one that would drop events, and one that is full.
func TestAStreamThatDoesNotFitIsSaidAtTheHTTPSeam(t *testing.T) {
	t.Parallel()
	c := startServer(t)
	nc, err := client.Connect(c.URLs()[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := natsjs.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	stream := natsjs.StreamConfig{
		Name: "test", Subjects: []string{"test.sink.*", "test.key"}, Retention: natsjs.WorkQueuePolicy, MaxBytes: 1 << 20,
		Duplicates: 24 * time.Hour, AllowAtomicPublish: true, AllowMsgTTL: true,
	}
	if _, err := js.CreateStream(t.Context(), stream); err != nil {
		t.Fatal(err)
	}
	r := startShared(t, c)
	down := newDestination(t)
	down.decide(http.StatusServiceUnavailable)
	r.apply(configuration(httpSink("crm", down.URL)))
	r.wantState(http.StatusServiceUnavailable, http.StatusServiceUnavailable, "discard is DiscardOld and must be DiscardNew; max bytes is 1048576 and must be 67108864 or more")

	small := startShared(t, c, "--journal-max-bytes=1048576")
	small.apply(configuration(httpSink("crm", down.URL)))
	stream.Discard = natsjs.DiscardNew
	if _, err := js.UpdateStream(t.Context(), stream); err != nil {
		t.Fatal(err)
	}
	small.wantState(http.StatusOK, http.StatusOK, "")
	filler := strings.Repeat("x", 100_000)
	answers := map[int]int{}
	for n := 0; answers[http.StatusServiceUnavailable] == 0 && n < 100; n++ {
		answers[small.postBody(`{"account":"a","date":"2026-01-02T03:04:05.678Z","event":"trackOpen","data":{"messageId":"<`+
			strings.Repeat("y", n)+`@example.com>","filler":"`+filler+`"}}`)]++
	}
	if answers[http.StatusOK] == 0 || answers[http.StatusServiceUnavailable] == 0 || len(answers) > 2 {
		t.Errorf("answers while the stream fills: %v", answers)
	}
	if problem := small.problem(); !strings.Contains(problem, "full") {
		t.Errorf("problem: %q", problem)
	}
	down.decide(http.StatusOK)
	eventually(t, "there is room again", func() bool { return small.post("after@example.com") == http.StatusOK })
}

// lines is a log that can be read while it is written.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write implements io.Writer.
func (l *lines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

// String returns what was written.
func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// TestBodiesAreHeldAgainstTheServersBound has endpoints that take more, and less, than the servers' max_payload of 1 MiB. It is told
// before the first body that is too large has come.
func TestBodiesAreHeldAgainstTheServersBound(t *testing.T) {
	t.Parallel()
	c := startServer(t)
	var log lines
	r := startLogging(t, c, slog.New(slog.NewTextHandler(&log, nil)))
	cfg := configuration(httpSink("crm", newDestination(t).URL))
	fits := cfg.Endpoints[0]
	fits.Name, fits.Path, fits.MaxBodyBytes = "fits", "/hooks/mail/fits", 512<<10
	cfg.Endpoints[0].MaxBodyBytes = 10 << 20
	cfg.Endpoints = append(cfg.Endpoints, fits)
	r.apply(cfg)
	eventually(t, "one endpoint is told of", func() bool {
		problems := r.loaded().Problems
		return len(problems) == 1 && problems[0].Endpoint == "mail/ee" && problems[0].Kind == config.EventTooLarge &&
			strings.Contains(problems[0].Message, "bodies may have 10485760 bytes, and the journal takes events of at most 104")
	})
	eventually(t, "it is in the log", func() bool { return strings.Count(log.String(), "large events of an endpoint") == 1 })
	if text := log.String(); !strings.Contains(text, "endpoint=mail/ee") {
		t.Error(text)
	}
	small := configuration()
	small.Endpoints[0].MaxBodyBytes = 512 << 10
	r.apply(small)
	if problems := r.loaded().Problems; len(problems) != 0 {
		t.Errorf("%+v", problems)
	}
}

// TestBadJournalFlags says what to change.
func TestBadJournalFlags(t *testing.T) {
	t.Parallel()
	for text, flags := range map[string][]string{
		"--journal must be":         {"--journal=Paper"},
		"needs --jetstream-urls":    {"--journal=JetStream", "--jetstream-stream=a"},
		"and --jetstream-stream":    {"--journal=JetStream", "--jetstream-urls=nats://localhost"},
		"like nats://host:4222":     {"--journal=JetStream", "--jetstream-stream=a", "--jetstream-urls=localhost"},
		"must hold no password":     {"--journal=JetStream", "--jetstream-stream=a", "--jetstream-urls=nats://u:p@localhost"},
		"letters, digits, - and _":  {"--journal=JetStream", "--jetstream-urls=nats://localhost", "--jetstream-stream=a.b"},
		"there may be 1, 3 or 5":    {"--journal=JetStream", "--jetstream-urls=nats://localhost", "--jetstream-stream=a", "--jetstream-replicas=2"},
		"certificate needs its key": {"--journal=JetStream", "--jetstream-urls=nats://localhost", "--jetstream-stream=a", "--jetstream-key=k"},
	} {
		var settings app.Settings
		f := flag.NewFlagSet("receiver", flag.ContinueOnError)
		settings.Flags(f, app.Settings{Listen: "127.0.0.1:0", Data: t.TempDir()})
		if err := f.Parse(flags); err != nil {
			t.Fatal(err)
		}
		if _, err := settings.Open(t.Context(), slog.New(slog.DiscardHandler), io.Discard); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%v: %v, want %q", flags, err, text)
		}
	}
}

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/mailvane/mailvane/receiver/admin"
	"github.com/mailvane/mailvane/receiver/config"
)

const (
	hookPath  = "/hooks/torture/ee"
	settings  = `{"serviceSecrets":["0123456789abcdef0123456789abcdef"]}`
	readyWait = 30 * time.Second
)

// receiver is the process under torture. It is started, killed and started again on the same data.
type receiver struct {
	binary, folder    string
	webhooks, backend string // addresses
	sinks             []*sink
	edits             int
	kills             int
	process           *exec.Cmd
	log               *os.File
}

// build compiles the receiver, unless a program was named.
func build(ctx context.Context, o *options, folder string) (string, error) {
	if o.binary != "" {
		return o.binary, nil
	}
	binary := filepath.Join(folder, "receiver")
	c := exec.CommandContext(ctx, "go", "build", "-o", binary, "github.com/mailvane/mailvane/cmd/receiver") //nolint:gosec // a fixed program
	if out, err := c.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the receiver: %w\n%s", err, out)
	}
	return binary, nil
}

func newReceiver(ctx context.Context, o *options, folder string, sinks []*sink) (*receiver, error) {
	binary, err := build(ctx, o, folder)
	if err != nil {
		return nil, err
	}
	r := &receiver{binary: binary, folder: folder, sinks: sinks}
	if r.webhooks, err = freeAddress(ctx); err != nil {
		return nil, err
	}
	if r.backend, err = freeAddress(ctx); err != nil {
		return nil, err
	}
	if err := os.Mkdir(filepath.Join(folder, "config"), 0o700); err != nil {
		return nil, err
	}
	r.log, err = os.Create(filepath.Join(folder, "receiver.log"))
	return r, err
}

func freeAddress(ctx context.Context) (string, error) {
	var c net.ListenConfig
	l, err := c.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer func() { _ = l.Close() }() // only its number is wanted
	return l.Addr().String(), nil
}

// configure writes a configuration that differs from the last one and selects the same events.
func (r *receiver) configure() error {
	r.edits++
	e := config.Endpoint{
		Namespace: "torture", Name: "ee", Path: hookPath, Provider: config.Plugin{Type: "EmailEngine", Settings: []byte(settings)},
		Verification: config.Enforce, State: config.Active, MaxBodyBytes: 1 << 20,
	}
	c := config.Config{Version: config.Version}
	for i, s := range r.sinks {
		e.Routes = append(e.Routes, config.Route{Name: s.name, Sink: s.name, Filter: fmt.Sprintf("event.smtpCode != %d", r.edits)})
		c.Sinks = append(c.Sinks, r.sinkConfig(s, i))
	}
	c.Endpoints = []config.Endpoint{e}
	document, err := json.Marshal(c)
	if err != nil {
		return err
	}
	// As the kubelet does: the whole document appears at once.
	path := filepath.Join(r.folder, "config", config.FileName)
	if err := os.WriteFile(path+".new", document, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// sinkConfig gives each sink another way of being fed, and changes one of them at each edit.
func (r *receiver) sinkConfig(s *sink, i int) config.Sink {
	d := config.Delivery{
		MaxInFlight: 4, BatchMaxEvents: 100, BatchMaxBytes: 1 << 20, TimeoutSeconds: 1,
		InitialBackoffMilliseconds: 50, MaxBackoffSeconds: 2, MaxAgeSeconds: 86_400, Ordering: config.Unordered,
	}
	mode := "Batched"
	switch i % 3 {
	case 1:
		d.Ordering = config.ByKey
	case 2:
		mode = "Structured"
	}
	if r.edits%len(r.sinks) == i {
		d.BatchMaxEvents += r.edits % 10
	}
	return config.Sink{
		Namespace: "torture", Name: s.name, Delivery: d,
		Kind: config.Plugin{Type: "HTTP", Settings: fmt.Appendf(nil, `{"url":"http://%s/events","contentMode":%q}`, s.address, mode)},
	}
}

// start runs the receiver and waits until it is ready.
func (r *receiver) start(ctx context.Context) error {
	r.process = exec.Command(r.binary, "--config", filepath.Join(r.folder, "config"), "--data", filepath.Join(r.folder, "data"), //nolint:gosec,noctx // it is ended by signals
		"--listen", r.webhooks, "--admin-listen", r.backend, "--fetch-keys=false", "--shutdown-delay=0", "--flush-timeout=1s")
	r.process.Stdout, r.process.Stderr = r.log, r.log
	if err := r.process.Start(); err != nil {
		return err
	}
	for deadline := time.Now().Add(readyWait); !r.ready(ctx); pause(ctx, 5*time.Millisecond) {
		if time.Now().After(deadline) || ctx.Err() != nil {
			return fmt.Errorf("the receiver is not ready; see %s", r.log.Name())
		}
	}
	return nil
}

func (r *receiver) ready(ctx context.Context) bool {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+r.backend+admin.PathReady, http.NoBody)
	if err != nil {
		return false
	}
	response, err := (&http.Client{Timeout: time.Second}).Do(q)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

func (r *receiver) kill() {
	_ = r.process.Process.Kill()
	_ = r.process.Wait() // it was killed
	r.kills++
}

// suffer kills the receiver, changes its configuration or both, at random, until ctx ends.
func (r *receiver) suffer(ctx context.Context, decide *rand.Rand) error {
	after := context.WithoutCancel(ctx)
	for pause(ctx, time.Duration(100+decide.IntN(2900))*time.Millisecond) {
		if decide.IntN(3) == 0 {
			if err := r.configure(); err != nil {
				return err
			}
			continue
		}
		r.kill()
		pause(ctx, time.Duration(decide.IntN(300))*time.Millisecond)
		if err := r.start(after); err != nil {
			return err
		}
	}
	return nil
}

// Package otelcol runs a real OpenTelemetry Collector for the tests, on loopback. The program is compiled from the module in hack/otelcol.
package otelcol

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/mailvane/mailvane/test/process"
)

// readyWithin bounds the wait for a collector that was started.
const readyWithin = 90 * time.Second

// Collector is a collector that writes in words what it takes.
type Collector struct {
	// Address is where it takes OTLP over HTTP.
	Address string

	command *exec.Cmd
	log     string
}

// Start starts a collector with its log in a folder. It ends with the test process.
func Start(ctx context.Context, folder string) (*Collector, error) {
	program, err := compile(ctx)
	if err != nil {
		return nil, err
	}
	c := &Collector{log: filepath.Join(folder, "otelcol.log")}
	if c.Address, err = process.FreeAddress(ctx); err != nil {
		return nil, err
	}
	log, err := os.Create(c.log)
	if err != nil {
		return nil, fmt.Errorf("start the collector: %w", err)
	}
	defer func() { _ = log.Close() }() // the process has its own
	config := fmt.Sprintf(`yaml:{receivers: {otlp: {protocols: {http: {endpoint: "%s"}}}}, exporters: {debug: {verbosity: detailed}},
		service: {telemetry: {metrics: {level: none}}, pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}}`, c.Address)
	c.command = exec.CommandContext(context.WithoutCancel(ctx), program, "--config", config) //nolint:gosec // a program of the project
	c.command.Stdout, c.command.Stderr = log, log
	process.EndWithParent(c.command, syscall.SIGKILL)
	if err := c.command.Start(); err != nil {
		return nil, fmt.Errorf("start the collector: %w", err)
	}
	return c, c.waitReady(ctx)
}

// Taken returns what the collector has said of what it took.
func (c *Collector) Taken() (string, error) {
	text, err := os.ReadFile(c.log)
	if err != nil {
		return "", fmt.Errorf("read what the collector took: %w", err)
	}
	return string(text), nil
}

// Stop ends it.
func (c *Collector) Stop() {
	_ = c.command.Process.Kill() // it may have ended
	_ = c.command.Wait()         // it was killed
}

func (c *Collector) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	var d net.Dialer
	for {
		connection, err := d.DialContext(ctx, "tcp", c.Address)
		if err == nil {
			return connection.Close()
		}
		select {
		case <-ctx.Done():
			text, _ := os.ReadFile(c.log) // what there is of it
			return fmt.Errorf("the collector is not ready: %w\n%s", err, text)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// compile returns the path of the collector that hack/otelcol pins. The go command compiles it the first time, which takes a minute.
func compile(ctx context.Context) (string, error) {
	dir, err := findModule()
	if err != nil {
		return "", err
	}
	command := exec.CommandContext(ctx, "go", "tool", "-n", "otelcol")
	command.Dir = dir
	var problems strings.Builder
	command.Stderr = &problems
	path, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("compile a collector: %w\n%s", err, problems.String())
	}
	return strings.TrimSpace(string(path)), nil
}

// findModule returns the path of hack/otelcol, looked for from the working directory upwards.
func findModule() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the module of the collector: %w", err)
	}
	for {
		module := filepath.Join(dir, "hack", "otelcol")
		if _, err := os.Stat(filepath.Join(module, "go.mod")); err == nil {
			return module, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no hack/otelcol in the working directory or above it: run this inside the repository")
		}
		dir = parent
	}
}

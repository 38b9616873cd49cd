package nats

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/mailvane/mailvane/test/process"
)

// Server is one nats-server process, which can be started again on what it has stored.
type Server struct {
	// Name is what the server calls itself.
	Name string

	program, dir, config     string
	clients, routes, monitor string // addresses
	process                  *exec.Cmd
	log                      *os.File
}

func newServer(ctx context.Context, program, dir string, i int) (*Server, error) {
	s := &Server{Name: "n" + strconv.Itoa(i+1), program: program, dir: dir, config: filepath.Join(dir, "nats.conf")}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of a server: %w", err)
	}
	for _, address := range []*string{&s.clients, &s.routes, &s.monitor} {
		var err error
		if *address, err = process.FreeAddress(ctx); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// URL returns the address for clients.
func (s *Server) URL() string { return "nats://" + s.clients }

// Log returns the path of the server's log.
func (s *Server) Log() string { return filepath.Join(s.dir, "log") }

// Configure changes the configuration file with edit. It counts from the next start or Reload.
func (s *Server) Configure(edit func(string) string) error {
	text, err := os.ReadFile(s.config)
	if err != nil {
		return fmt.Errorf("configure %s: %w", s.Name, err)
	}
	if err := os.WriteFile(s.config, []byte(edit(string(text))), 0o600); err != nil {
		return fmt.Errorf("configure %s: %w", s.Name, err)
	}
	return nil
}

// Reload makes the server read its configuration again.
func (s *Server) Reload() error { return s.signal(syscall.SIGHUP) }

// Pause stops the process where it is; its connections stay open.
func (s *Server) Pause() error { return s.signal(syscall.SIGSTOP) }

// Resume lets a paused process go on.
func (s *Server) Resume() error { return s.signal(syscall.SIGCONT) }

func (s *Server) signal(n syscall.Signal) error {
	if s.process == nil {
		return fmt.Errorf("%s does not run", s.Name)
	}
	if err := s.process.Process.Signal(n); err != nil {
		return fmt.Errorf("signal %s: %w", s.Name, err)
	}
	return nil
}

// Kill ends the process with SIGKILL. Nothing happens when it does not run.
func (s *Server) Kill() error { return s.end(syscall.SIGKILL) }

// Lose kills the process and takes everything away that it has stored.
func (s *Server) Lose() error {
	if err := s.Kill(); err != nil {
		return err
	}
	if err := os.RemoveAll(s.store()); err != nil {
		return fmt.Errorf("remove what %s has stored: %w", s.Name, err)
	}
	return nil
}

func (s *Server) store() string { return filepath.Join(s.dir, "store") }

// Stop ends the process in order.
func (s *Server) Stop() error { return s.end(syscall.SIGTERM) }

func (s *Server) end(n syscall.Signal) error {
	if s.process == nil {
		return nil
	}
	if err := s.signal(n); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	_ = s.process.Wait() // it says that it was ended
	s.process = nil
	return s.log.Close()
}

// Start starts the process again and waits until it is ready.
func (s *Server) Start(ctx context.Context) error {
	if err := s.launch(ctx); err != nil {
		return err
	}
	return s.WaitReady(ctx)
}

func (s *Server) launch(ctx context.Context) error {
	if s.process != nil {
		return fmt.Errorf("%s runs already", s.Name)
	}
	log, err := os.OpenFile(s.Log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("start %s: %w", s.Name, err)
	}
	command := exec.CommandContext(context.WithoutCancel(ctx), s.program, "-c", s.config) //nolint:gosec // our own program
	command.Stdout, command.Stderr = log, log
	process.EndWithParent(command, syscall.SIGKILL)
	if err := command.Start(); err != nil {
		return errors.Join(fmt.Errorf("start %s: %w", s.Name, err), log.Close())
	}
	s.process, s.log = command, log
	return nil
}

// WaitReady waits until the server is healthy: it has caught up with all streams and consumers.
func (s *Server) WaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	client := &http.Client{Timeout: time.Second}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		err := s.healthy(ctx, client)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready; see %s: %w", s.Name, s.Log(), err)
		case <-tick.C:
		}
	}
}

func (s *Server) healthy(ctx context.Context, client *http.Client) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.monitor+"/healthz", http.NoBody)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode == http.StatusOK {
		return nil
	}
	text, err := io.ReadAll(response.Body)
	return errors.Join(fmt.Errorf("it answers %d: %s", response.StatusCode, text), err)
}

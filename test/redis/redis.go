// Package redis runs a real Redis server for the tests, on loopback and in a folder of its own. The program is that of the machine: on
// Debian, apt-get install redis-server.
package redis

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

// ErrMissing says that the machine has no Redis.
var ErrMissing = errors.New("redis-server is not installed (apt-get install redis-server)")

// readyWithin bounds the wait for a server that was started.
const readyWithin = 90 * time.Second

// Server is one server, which can be started again on what it has stored.
type Server struct {
	// Address is where it listens.
	Address string

	program, dir string
	arguments    []string
	secure       bool
	process      *exec.Cmd
}

// Start starts a server whose files are in dir, with lines added to its configuration, in which @port@ is its port. The error is ErrMissing where there is none.
func Start(ctx context.Context, dir, config string, arguments ...string) (*Server, error) {
	program, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, ErrMissing
	}
	s := &Server{program: program, dir: dir, arguments: arguments}
	if s.Address, err = process.FreeAddress(ctx); err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(s.Address)
	if err != nil {
		return nil, fmt.Errorf("address of Redis: %w", err)
	}
	text := fmt.Sprintf("bind %s\nport %s\ndir %s\nappendonly yes\nsave \"\"\n%s\n", host, port, dir, config)
	text = strings.ReplaceAll(text, "@port@", port)
	s.secure = strings.Contains(text, "tls-port")
	if len(arguments) > 0 { // a sentinel stores nothing
		text = strings.Replace(text, "appendonly yes\nsave \"\"\n", "", 1)
	}
	if err := os.WriteFile(s.config(), []byte(text), 0o600); err != nil {
		return nil, fmt.Errorf("configure Redis: %w", err)
	}
	return s, s.Start(ctx)
}

func (s *Server) config() string { return filepath.Join(s.dir, "redis.conf") }

// Start starts the server again and waits until it listens and has read what it has stored.
func (s *Server) Start(ctx context.Context) error {
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("start Redis: %w", err)
	}
	defer func() { _ = log.Close() }() // the process has its own
	//nolint:gosec // a program of the machine
	c := exec.CommandContext(context.WithoutCancel(ctx), s.program, append([]string{s.config()}, s.arguments...)...)
	c.Stdout, c.Stderr = log, log
	process.EndWithParent(c, syscall.SIGKILL)
	if err := c.Start(); err != nil {
		return fmt.Errorf("start Redis: %w", err)
	}
	s.process = c
	return s.waitReady(ctx)
}

func (s *Server) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		err := s.answers(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			text, _ := os.ReadFile(filepath.Join(s.dir, "log")) // what there is of it
			return fmt.Errorf("redis is not ready: %w\n%s", err, text)
		case <-tick.C:
		}
	}
}

// answers asks without a credential: a server that is ready says that one is missing, or answers.
func (s *Server) answers(ctx context.Context) error {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", s.Address)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if s.secure {
		return nil // it listens when it has read everything
	}
	if err := conn.SetDeadline(time.Now().Add(readyWithin)); err != nil {
		return err
	}
	if _, err := conn.Write([]byte("PING\r\n")); err != nil {
		return err
	}
	answer := make([]byte, 64)
	n, err := conn.Read(answer)
	if err != nil {
		return err
	}
	if text := string(answer[:n]); !strings.HasPrefix(text, "+PONG") && !strings.HasPrefix(text, "-NOAUTH") {
		return errors.New(text)
	}
	return nil
}

// Pause stops the process where it is; its connections stay open.
func (s *Server) Pause() error {
	if err := s.process.Process.Signal(syscall.SIGSTOP); err != nil {
		return fmt.Errorf("pause Redis: %w", err)
	}
	return nil
}

// Kill ends the process. Nothing happens when it does not run.
func (s *Server) Kill() error {
	if s.process == nil {
		return nil
	}
	if err := s.process.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("end Redis: %w", err)
	}
	_ = s.process.Wait() // it was killed
	s.process = nil
	return nil
}

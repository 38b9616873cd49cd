// Package storage runs a real S3 server for the tests, on loopback and in a folder of its own: the Versity S3 Gateway on a folder. The program is compiled
// from the module in hack/s3.
package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/mailvane/mailvane/test/process"
)

// The access key of the server, and its region.
const (
	AccessKeyID = "mailvane"
	SigningKey  = "s3cret-8d1f-of-the-storage"
	Region      = "us-east-1"
)

const (
	// readyWithin bounds the wait for a server that was started.
	readyWithin = 90 * time.Second
	// slow is how long the compiler may take before people are told what it is doing.
	slow = 2 * time.Second
)

// Server is one server, which can be started again on what it has stored.
type Server struct {
	// Address is where it listens, and Secret that of its access key from the next start on.
	Address, Secret string

	program, dir string
	process      *exec.Cmd
}

// Start starts a server whose files are in dir, an empty folder. Progress is told what takes long.
func Start(ctx context.Context, dir string, progress io.Writer) (*Server, error) {
	program, err := compile(ctx, progress)
	if err != nil {
		return nil, err
	}
	s := &Server{Secret: SigningKey, program: program, dir: dir}
	if s.Address, err = process.FreeAddress(ctx); err != nil {
		return nil, err
	}
	for _, name := range []string{"objects", "metadata"} {
		if err := os.Mkdir(s.folder(name), 0o700); err != nil {
			return nil, fmt.Errorf("make a folder for the storage: %w", err)
		}
	}
	return s, s.Start(ctx)
}

// Start starts the server again and waits until it listens.
func (s *Server) Start(ctx context.Context) error {
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("start the storage: %w", err)
	}
	defer func() { _ = log.Close() }() // the process has its own
	//nolint:gosec // a program of the project
	c := exec.CommandContext(context.WithoutCancel(ctx), s.program, s.Address, AccessKeyID, s.Secret, s.folder("objects"), s.folder("metadata"))
	c.Stdout, c.Stderr = log, log
	process.EndWithParent(c, syscall.SIGKILL)
	if err := c.Start(); err != nil {
		return fmt.Errorf("start the storage: %w", err)
	}
	s.process = c
	return s.waitReady(ctx)
}

func (s *Server) folder(name string) string { return filepath.Join(s.dir, name) }

func (s *Server) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	var d net.Dialer
	for {
		conn, err := d.DialContext(ctx, "tcp", s.Address)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-ctx.Done():
			text, _ := os.ReadFile(filepath.Join(s.dir, "log")) // what there is of it
			return fmt.Errorf("the storage is not ready: %w\n%s", err, text)
		case <-tick.C:
		}
	}
}

// Pause stops the process where it is; its connections stay open.
func (s *Server) Pause() error {
	if err := s.process.Process.Signal(syscall.SIGSTOP); err != nil {
		return fmt.Errorf("pause the storage: %w", err)
	}
	return nil
}

// Kill ends the process. Nothing happens when it does not run.
func (s *Server) Kill() error {
	if s.process == nil {
		return nil
	}
	if err := s.process.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("end the storage: %w", err)
	}
	_ = s.process.Wait() // it was killed
	s.process = nil
	return nil
}

// compile returns the path of the server that hack/s3 pins. The go command compiles it the first time.
func compile(ctx context.Context, progress io.Writer) (string, error) {
	dir, err := findModule()
	if err != nil {
		return "", err
	}
	timer := time.AfterFunc(slow, func() {
		fmt.Fprintln(progress, "Compiling an S3 server for the tests from hack/s3. This takes a few minutes, once.")
	})
	defer timer.Stop()
	command := exec.CommandContext(ctx, "go", "tool", "-n", "s3")
	command.Dir = dir
	var problems strings.Builder
	command.Stderr = &problems
	path, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("compile an S3 server: %w\n%s", err, problems.String())
	}
	return strings.TrimSpace(string(path)), nil
}

// findModule returns the path of hack/s3, looked for from the working directory upwards.
func findModule() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the module of the S3 server: %w", err)
	}
	for {
		module := filepath.Join(dir, "hack", "s3")
		if _, err := os.Stat(filepath.Join(module, "go.mod")); err == nil {
			return module, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no hack/s3 in the working directory or above it: run this inside the repository")
		}
		dir = parent
	}
}

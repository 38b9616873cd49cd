// Package postgres runs a real PostgreSQL server for the tests, on loopback and in a folder of its own. The programs are those of the
// machine: on Debian, apt-get install postgresql.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/mailvane/mailvane/test/process"
)

// ErrMissing says that the machine has no PostgreSQL.
var ErrMissing = errors.New("PostgreSQL is not installed (apt-get install postgresql), and not in MAILVANE_POSTGRES_BIN")

// Options say what to start.
type Options struct {
	// Config is added to the configuration, as PostgreSQL writes it.
	Config string
	// Access are lines of pg_hba.conf, before those that let the superuser in, and everybody else with a password.
	Access string
	// Files are put into the folder of the data, which relative paths of the configuration are in.
	Files map[string][]byte
}

// Superuser is the user who may do everything, without a password.
const Superuser = "postgres"

// readyWithin bounds the wait for a server that was started.
const readyWithin = 90 * time.Second

// Server is one server, which can be started again on what it has stored.
type Server struct {
	// Address is where it listens.
	Address string

	bin, dir string
	owner    *syscall.Credential
	process  *exec.Cmd
}

// Start makes a server and starts it. The error is ErrMissing where there is none. Whoever starts it closes it.
func Start(ctx context.Context, o Options) (*Server, error) {
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	s := &Server{bin: bin}
	if s.owner, err = owner(); err != nil {
		return nil, err
	}
	if s.Address, err = process.FreeAddress(ctx); err != nil {
		return nil, err
	}
	if s.dir, err = os.MkdirTemp("", "mailvane-postgres-"); err != nil {
		return nil, fmt.Errorf("make the folder of a server: %w", err)
	}
	if err := s.initialize(ctx, &o); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if err := s.Start(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// programs returns the folder of the programs, of the newest release that is there.
func programs() (string, error) {
	if bin := os.Getenv("MAILVANE_POSTGRES_BIN"); bin != "" {
		return bin, nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		found = append(found, path)
	}
	if len(found) == 0 {
		return "", ErrMissing
	}
	release := func(path string) int {
		n, _ := strconv.Atoi(strings.Split(path+"/////", "/")[4]) // another path has none
		return n
	}
	return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return release(a) - release(b) })), nil
}

// owner returns whom the server runs as: it refuses to be root.
func owner() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil //nolint:nilnil // whoever runs the test
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("user %s: %w", name, err)
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("group of %s: %w", name, err)
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// initialize makes the files of the server. It need not survive the machine.
func (s *Server) initialize(ctx context.Context, o *Options) error {
	if err := s.give(s.dir); err != nil {
		return err
	}
	//nolint:gosec // a program of the machine
	c := exec.CommandContext(ctx, filepath.Join(s.bin, "initdb"), "-D", s.data(), "-U", Superuser, "-E", "UTF8", "--locale=C", "-A", "trust", "--no-sync")
	c.Dir = s.dir
	c.SysProcAttr = &syscall.SysProcAttr{Credential: s.owner}
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	host, port, err := net.SplitHostPort(s.Address)
	if err != nil {
		return err
	}
	config := fmt.Sprintf("listen_addresses = '%s'\nport = %s\nunix_socket_directories = ''\nfsync = off\nmax_connections = 100\n"+
		"shared_buffers = 16MB\nlogging_collector = off\n%s\n", host, port, o.Config)
	access := o.Access + "\nhost all " + Superuser + " 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
	files := map[string][]byte{"postgresql.conf": []byte(config), "pg_hba.conf": []byte(access)}
	maps.Copy(files, o.Files)
	for name, content := range files {
		path := filepath.Join(s.data(), name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return fmt.Errorf("configure PostgreSQL: %w", err)
		}
		if err := s.give(path); err != nil {
			return err
		}
	}
	return nil
}

// give makes the server the owner of a file.
func (s *Server) give(path string) error {
	if s.owner == nil {
		return nil
	}
	if err := os.Chown(path, int(s.owner.Uid), int(s.owner.Gid)); err != nil {
		return fmt.Errorf("give a file to PostgreSQL: %w", err)
	}
	return nil
}

// Start starts the server again and waits until it answers.
func (s *Server) Start(ctx context.Context) error {
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	defer func() { _ = log.Close() }()                                                                     // the process has its own
	c := exec.CommandContext(context.WithoutCancel(ctx), filepath.Join(s.bin, "postgres"), "-D", s.data()) //nolint:gosec // a program of the machine
	c.Dir, c.Stdout, c.Stderr = s.dir, log, log
	c.SysProcAttr = &syscall.SysProcAttr{Credential: s.owner}
	process.EndWithParent(c, syscall.SIGQUIT)
	if err := c.Start(); err != nil {
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	s.process = c
	return s.waitReady(ctx)
}

func (s *Server) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := s.Connect(ctx)
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-ctx.Done():
			text, _ := os.ReadFile(filepath.Join(s.dir, "log")) // what there is of it
			return fmt.Errorf("PostgreSQL is not ready: %w\n%s", err, text)
		case <-tick.C:
		}
	}
}

// Connect returns a connection of the superuser.
func (s *Server) Connect(ctx context.Context) (*pgx.Conn, error) {
	return pgx.Connect(ctx, "postgres://"+Superuser+"@"+s.Address+"/postgres?sslmode=disable")
}

// Stop ends the server at once, as when its machine loses power; what was committed is there when it starts again.
func (s *Server) Stop() error {
	if s.process == nil {
		return nil
	}
	if err := s.process.Process.Signal(syscall.SIGQUIT); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop PostgreSQL: %w", err)
	}
	_ = s.process.Wait() // it was told to
	s.process = nil
	return nil
}

// Close ends the server and removes what it has stored.
func (s *Server) Close() error {
	return errors.Join(s.Stop(), os.RemoveAll(s.dir))
}

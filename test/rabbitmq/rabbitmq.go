// Package rabbitmq runs a real RabbitMQ server for the tests, on loopback and in a folder of its own, with a port mapper of its own. The
// programs are those of the machine: on Debian, apt-get install rabbitmq-server.
package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/mailvane/mailvane/test/process"
)

// ErrMissing says that the machine has no RabbitMQ.
var ErrMissing = errors.New("RabbitMQ is not installed (apt-get install rabbitmq-server)")

// Admin is the user who may do everything, and the password.
const Admin = "admin"

// readyWithin bounds the wait for a server that was started: the machine may do other work.
const readyWithin = 3 * time.Minute

// server is the script of Debian's package; the one in the PATH wants to be the user of the package.
const server = "/usr/lib/rabbitmq/bin/rabbitmq-server"

// Server is one server, which can be started again on what it has stored.
type Server struct {
	// Address is where it listens for AMQP, and Management where for HTTP.
	Address, Management string
	// Secure is where it listens for AMQP with TLS, if Options has files for that.
	Secure string

	dir          string
	environment  []string
	mapper       *exec.Cmd
	process      *exec.Cmd
	input        io.Closer
	distribution string
}

// Options say what to start.
type Options struct {
	// Config is added to rabbitmq.conf, in which @dir@ is the folder of the server and @secure@ the port of Secure.
	Config string
	// Files are put into the folder.
	Files map[string][]byte
}

// Start makes a server and starts it. The error is ErrMissing where there is none. Whoever starts it closes it.
func Start(ctx context.Context, o Options) (_ *Server, err error) {
	if _, err := os.Stat(server); err != nil {
		return nil, ErrMissing
	}
	s := &Server{}
	var epmd string
	for _, address := range []*string{&s.Address, &s.Management, &s.Secure, &s.distribution, &epmd} {
		if *address, err = process.FreeAddress(ctx); err != nil {
			return nil, err
		}
	}
	if s.dir, err = os.MkdirTemp("", "mailvane-rabbitmq-"); err != nil {
		return nil, fmt.Errorf("make the folder of a server: %w", err)
	}
	if err := errors.Join(s.write(&o), s.startMapper(ctx, port(epmd))); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.environment = s.variables(port(epmd))
	if err := s.Start(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func port(address string) string {
	_, port, _ := net.SplitHostPort(address) // it is one of ours
	return port
}

func (s *Server) path(name string) string { return filepath.Join(s.dir, name) }

func (s *Server) write(o *Options) error {
	config := fmt.Sprintf("listeners.tcp.1 = %s\nmanagement.tcp.ip = 127.0.0.1\nmanagement.tcp.port = %s\nloopback_users = none\ndefault_user = %[3]s\n"+
		"default_pass = %[3]s\nlog.console = false\n", s.Address, port(s.Management), Admin)
	config += strings.NewReplacer("@dir@", s.dir, "@secure@", s.Secure).Replace(o.Config) + "\n"
	files := map[string][]byte{
		"rabbitmq.conf": []byte(config), "enabled_plugins": []byte("[rabbitmq_management,rabbitmq_auth_mechanism_ssl].\n"),
	}
	maps.Copy(files, o.Files)
	for name, content := range files {
		if err := os.WriteFile(s.path(name), content, 0o600); err != nil {
			return fmt.Errorf("configure RabbitMQ: %w", err)
		}
	}
	return nil
}

// variables are the server's environment: nothing of it is where another one would have it.
func (s *Server) variables(mapper string) []string {
	return append(os.Environ(),
		"HOME="+s.dir, "RABBITMQ_NODENAME=mailvane"+port(s.Address)+"@localhost", "RABBITMQ_DIST_PORT="+port(s.distribution),
		"RABBITMQ_MNESIA_BASE="+s.path("mnesia"), "RABBITMQ_LOG_BASE="+s.path("log"), "RABBITMQ_CONFIG_FILE="+s.path("rabbitmq.conf"),
		"RABBITMQ_ADVANCED_CONFIG_FILE="+s.path("none.config"), "RABBITMQ_ENABLED_PLUGINS_FILE="+s.path("enabled_plugins"),
		"RABBITMQ_GENERATED_CONFIG_DIR="+s.path("config"), "RABBITMQ_CONF_ENV_FILE=/dev/null", "ERL_EPMD_PORT="+mapper, "ERL_EPMD_ADDRESS=127.0.0.1",
		"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-kernel inet_dist_use_interface {127,0,0,1} +S 2:2",
		"RABBITMQ_ALLOW_INPUT=1", // so that the script becomes the server, and does not stay beside it
	)
}

// startMapper starts epmd, which nodes and commands of Erlang find each other by.
func (s *Server) startMapper(ctx context.Context, port string) error {
	//nolint:gosec // a program of the machine
	c := exec.CommandContext(context.WithoutCancel(ctx), "epmd", "-port", port, "-address", "127.0.0.1", "-relaxed_command_check")
	process.EndWithParent(c, syscall.SIGKILL)
	if err := c.Start(); err != nil {
		return fmt.Errorf("start epmd: %w", err)
	}
	s.mapper = c
	return nil
}

// Start starts the server again and waits until it listens.
func (s *Server) Start(ctx context.Context) error {
	log, err := os.OpenFile(s.path("out"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("start RabbitMQ: %w", err)
	}
	defer func() { _ = log.Close() }() // the process has its own
	c := exec.CommandContext(context.WithoutCancel(ctx), server)
	c.Env, c.Dir, c.Stdout, c.Stderr = s.environment, s.dir, log, log
	if s.input, err = c.StdinPipe(); err != nil { // it ends with its input
		return fmt.Errorf("start RabbitMQ: %w", err)
	}
	process.EndWithParent(c, syscall.SIGKILL)
	if err := c.Start(); err != nil {
		return fmt.Errorf("start RabbitMQ: %w", err)
	}
	s.process = c
	return s.waitReady(ctx)
}

func (s *Server) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	var d net.Dialer
	for {
		conn, err := d.DialContext(ctx, "tcp", s.Address)
		if err == nil {
			return conn.Close() // it listens for AMQP last
		}
		select {
		case <-ctx.Done():
			text, _ := os.ReadFile(s.path("out")) // what there is of it
			return fmt.Errorf("RabbitMQ is not ready: %w\n%s", err, text)
		case <-tick.C:
		}
	}
}

// Do asks the management API, whose paths begin behind /api/. What is not there may be deleted.
func (s *Server) Do(ctx context.Context, method, path, body string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://"+s.Management+"/api/"+path, strings.NewReader(body))
	if err != nil {
		return "", fmt.Errorf("ask RabbitMQ: %w", err)
	}
	request.SetBasicAuth(Admin, Admin)
	request.Header.Set("Content-Type", "application/json")
	answer, err := (&http.Client{Timeout: time.Minute}).Do(request)
	if err != nil {
		return "", fmt.Errorf("ask RabbitMQ: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return "", fmt.Errorf("ask RabbitMQ: %w", err)
	}
	if answer.StatusCode >= 300 && (answer.StatusCode != http.StatusNotFound || method != http.MethodDelete) {
		return "", fmt.Errorf("%s %s: %s %s", method, path, answer.Status, text)
	}
	return string(text), nil
}

// Control runs rabbitmqctl.
func (s *Server) Control(ctx context.Context, arguments ...string) error {
	c := exec.CommandContext(ctx, "/usr/lib/rabbitmq/bin/rabbitmqctl", arguments...) //nolint:gosec // a program of the machine
	c.Env, c.Dir = s.environment, s.dir
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("rabbitmqctl %s: %w\n%s", strings.Join(arguments, " "), err, out)
	}
	return nil
}

// Kill ends the server at once. Nothing happens when it does not run.
func (s *Server) Kill() error {
	if s.process == nil {
		return nil
	}
	if err := s.process.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("end RabbitMQ: %w", err)
	}
	_ = s.process.Wait() // it was killed
	_ = s.input.Close()  // it was its
	s.process = nil
	return nil
}

// Close ends the server and its port mapper, and removes what it has stored.
func (s *Server) Close() error {
	err := s.Kill()
	if s.mapper != nil {
		_ = s.mapper.Process.Kill() // it may have ended
		_ = s.mapper.Wait()
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}

// Pause stops the process where it is; its connections stay open. Resume has it go on.
func (s *Server) Pause() error { return s.signal(syscall.SIGSTOP) }

// Resume ends what Pause did.
func (s *Server) Resume() error { return s.signal(syscall.SIGCONT) }

func (s *Server) signal(signal syscall.Signal) error {
	if err := s.process.Process.Signal(signal); err != nil {
		return fmt.Errorf("signal RabbitMQ: %w", err)
	}
	return nil
}

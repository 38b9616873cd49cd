// Package process builds, starts and observes the programs of Mailvane for tests that need real processes.
package process

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// readyWait bounds the wait for a program to be ready.
const readyWait = 60 * time.Second

// Build compiles a command of this module, such as "cmd/receiver", into folder and returns the path of the program.
func Build(ctx context.Context, folder, command string) (string, error) {
	binary := filepath.Join(folder, filepath.Base(command))
	// As in the image, whose pages are fewer without symbols.
	//nolint:gosec // a program of this module
	c := exec.CommandContext(ctx, "go", "build", "-tags=grpcnotrace", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=", "-o", binary, "github.com/mailvane/mailvane/"+command)
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", command, err, out)
	}
	return binary, nil
}

// Process is a running program.
type Process struct {
	command *exec.Cmd
}

// Start runs a program, whose output goes to log.
func Start(log *os.File, binary string, arguments ...string) (*Process, error) {
	p := &Process{command: exec.Command(binary, arguments...)} //nolint:gosec,noctx // a program of this module, which is ended by signals
	p.command.Stdout, p.command.Stderr = log, log
	if err := p.command.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", binary, err)
	}
	return p, nil
}

// ProbeFlags returns the flags by which a receiver serves metrics and probes on an address, and no admin API. A binary of a release
// that had both on one port serves them together.
func ProbeFlags(ctx context.Context, binary, address string) ([]string, error) {
	usage, err := exec.CommandContext(ctx, binary, "-h").CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("ask %s for its flags: %w", binary, err)
	}
	if strings.Contains(string(usage), "-metrics-listen") {
		return []string{"--metrics-listen", address, "--admin-listen="}, nil
	}
	return []string{"--admin-listen", address}, nil
}

// WaitReady polls url until it answers 200.
func WaitReady(ctx context.Context, url string) error {
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for deadline := time.Now().Add(readyWait); ; time.Sleep(time.Millisecond) {
		if ready(ctx, client, url) {
			return nil
		}
		if time.Now().After(deadline) || ctx.Err() != nil {
			return fmt.Errorf("%s does not answer 200 within %v", url, readyWait)
		}
	}
}

func ready(ctx context.Context, client *http.Client, url string) bool {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return false
	}
	response, err := client.Do(q)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// Kill ends the process with SIGKILL and waits for its end.
func (p *Process) Kill() {
	_ = p.command.Process.Kill()
	_ = p.command.Wait() // it was killed
}

// Stop asks the process to end, with an interrupt, and waits for that.
func (p *Process) Stop() error {
	if err := p.command.Process.Signal(os.Interrupt); err != nil {
		return fmt.Errorf("interrupt: %w", err)
	}
	return p.command.Wait()
}

// ResidentBytes returns the memory that the process has in RAM (VmRSS in /proc/PID/status). It is 0 where there is no /proc.
func (p *Process) ResidentBytes() int64 {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(p.command.Process.Pid) + "/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64) // always a number
			return kib << 10
		}
	}
	return 0
}

// ticksPerSecond is the unit of /proc/PID/stat on every Linux that Go runs on.
const ticksPerSecond = 100

// CPUTime returns the processor time that the process has used (utime and stime in /proc/PID/stat), in steps of 10 ms. It is 0
// where there is no /proc.
func (p *Process) CPUTime() time.Duration {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(p.command.Process.Pid) + "/stat")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.ParseInt(fields[11], 10, 64)   // always a number
	system, _ := strconv.ParseInt(fields[12], 10, 64) // always a number
	return time.Duration(user+system) * time.Second / ticksPerSecond
}

package nats

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// slow is how long the compiler may take before people are told what it is doing.
const slow = 2 * time.Second

// program returns the path of the nats-server that hack/nats pins. The go command compiles it the first time.
func program(ctx context.Context, progress io.Writer) (string, error) {
	module, err := findModule()
	if err != nil {
		return "", err
	}
	if progress != nil {
		timer := time.AfterFunc(slow, func() {
			fmt.Fprintln(progress, "Compiling nats-server for the tests from hack/nats. This takes about a minute, once.")
		})
		defer timer.Stop()
	}
	command := exec.CommandContext(ctx, "go", "tool", "-modfile="+module, "-n", "nats-server") //nolint:gosec // a fixed program
	command.Dir = filepath.Dir(filepath.Dir(filepath.Dir(module)))
	var problems strings.Builder
	command.Stderr = &problems
	path, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("compile nats-server: %w\n%s", err, problems.String())
	}
	return strings.TrimSpace(string(path)), nil
}

// findModule returns the path of hack/nats/go.mod, looked for from the working directory upwards.
func findModule() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the module of nats-server: %w", err)
	}
	for {
		module := filepath.Join(dir, "hack", "nats", "go.mod")
		if _, err := os.Stat(module); err == nil {
			return module, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no hack/nats in the working directory or above it: run this inside the repository")
		}
		dir = parent
	}
}

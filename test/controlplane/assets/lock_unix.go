//go:build darwin || linux

package assets

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"
)

// askAgainEvery is how often a process that waits for the lock asks for it.
const askAgainEvery = 100 * time.Millisecond

// lock takes the lock of the file at path, and waits as long as another process has it. It is gone with the process that took it.
func lock(ctx context.Context, path string, progress io.Writer) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the control plane: %w", err)
	}
	release := func() { _ = file.Close() }
	for waiting := false; ; waiting = true {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return release, nil
		case errors.Is(err, syscall.EINTR):
		case !errors.Is(err, syscall.EWOULDBLOCK):
			release()
			return nil, fmt.Errorf("lock the control plane: %w", err)
		case !waiting:
			fmt.Fprintln(progress, "Waiting for another process that compiles the control plane for the tests.")
		}
		select {
		case <-ctx.Done():
			release()
			return nil, fmt.Errorf("wait for another process to compile the control plane: %w", ctx.Err())
		case <-time.After(askAgainEvery):
		}
	}
}

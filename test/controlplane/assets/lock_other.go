//go:build !darwin && !linux

package assets

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
)

// lock says that nothing is compiled here: the control plane of Kubernetes is at home on Linux, and compiles on macOS.
func lock(context.Context, string, io.Writer) (unlock func(), err error) {
	return nil, fmt.Errorf("compile the control plane on %s (set %s to a folder that has one): %w", runtime.GOOS, Variable, errors.ErrUnsupported)
}

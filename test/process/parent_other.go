//go:build !linux

package process

import (
	"os/exec"
	"syscall"
)

// EndWithParent does nothing: only Linux can end a process with its parent.
func EndWithParent(*exec.Cmd, syscall.Signal) {}

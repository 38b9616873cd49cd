package nats

import (
	"os/exec"
	"syscall"
)

// endWithParent makes the kernel end the process when the test that started it is gone.
func endWithParent(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

package process

import (
	"os/exec"
	"syscall"
)

// EndWithParent makes the kernel send a signal to the process when the test that starts it is gone.
func EndWithParent(c *exec.Cmd, signal syscall.Signal) {
	if c.SysProcAttr == nil {
		c.SysProcAttr = &syscall.SysProcAttr{}
	}
	c.SysProcAttr.Pdeathsig = signal
}

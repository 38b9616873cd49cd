// Package command holds the subcommands of the mailvane program, one file each.
package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// errReported ends the program with status 1 after a command has said what is wrong itself.
var errReported = errors.New("already reported")

// pluginPrefix begins the names of programs that kubectl finds and runs as "kubectl NAME".
const pluginPrefix = "kubectl-"

// Run executes the program with its name and arguments, and returns its exit status: 0, or 1 after any failure. Under a name
// that begins with "kubectl-" it speaks of itself as kubectl's plugin.
func Run(arguments []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := newRoot()
	if strings.HasPrefix(filepath.Base(arguments[0]), pluginPrefix) {
		root.Annotations = map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl mailvane"}
	}
	root.SetArgs(arguments[1:])
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return 0
	case !errors.Is(err, errReported):
		fmt.Fprintln(stderr, "mailvane:", err)
	}
	return 1
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "mailvane",
		Short:         "Email-provider webhooks, verified, normalized, stored and forwarded",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(newRun(), newDemo(), newSend(), newCheck(), newEndpoints(), newSinks(), newDeadLetter())
	return root
}

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

	"github.com/mailvane/mailvane/internal/printable"
)

// errReported ends the program with status 1 after a command has said what is wrong itself.
var errReported = errors.New("already reported")

// pluginPrefix begins the names of programs that kubectl finds and runs as "kubectl NAME".
const pluginPrefix = "kubectl-"

// The exit statuses of a failure.
const (
	exitFailed = 1
	exitUsage  = 2 // the command line is wrong
)

// Run executes the program with its name and arguments, and returns its exit status: 0, 1 after a failure, 2 when the arguments
// are wrong, or what a command answers by it. Under a name that begins with "kubectl-" it speaks of itself as kubectl's plugin. What it prints is printable, whatever
// providers and sinks wrote.
func Run(arguments []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	// A second signal ends the program at once, however long the end in order takes.
	context.AfterFunc(ctx, stop)
	out, errOut := printable.NewWriter(stdout), printable.NewWriter(stderr)
	defer out.Flush()
	defer errOut.Flush()
	root := newRoot(stdout)
	if strings.HasPrefix(filepath.Base(arguments[0]), pluginPrefix) {
		root.Annotations = map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl mailvane"}
	}
	root.SetArgs(arguments[1:])
	root.SetOut(out)
	root.SetErr(errOut)
	ran, status := false, 0
	root.PersistentPreRun = func(*cobra.Command, []string) { ran = true }
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errReported):
	case isStatus(err, &status):
		return status
	default:
		fmt.Fprintln(errOut, "mailvane:", err)
	}
	if _, usage := errors.AsType[*usageError](err); usage || !ran || strings.HasPrefix(err.Error(), "required flag") {
		return exitUsage
	}
	return exitFailed
}

// usageError is an error of the command line that only the command can see.
type usageError struct{ text string }

// Error says what to write instead.
func (e *usageError) Error() string { return e.text }

// statusError ends the program with a status that is an answer and no failure.
type statusError struct{ status int }

// Error says which.
func (e *statusError) Error() string { return fmt.Sprintf("exit status %d", e.status) }

// isStatus reports whether an error is a [statusError], and returns its status.
func isStatus(err error, status *int) bool {
	e, ok := errors.AsType[*statusError](err)
	if ok {
		*status = e.status
	}
	return ok
}

// newRoot returns the program. To raw goes what is asked for byte for byte.
func newRoot(raw io.Writer) *cobra.Command {
	root := &cobra.Command{
		Use:           "mailvane",
		Short:         "Email-provider webhooks, verified, normalized, stored and forwarded",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(newRun(), newDemo(), newSend(), newCheck(), newEndpoints(), newSinks(), newDeadLetter(raw), newEvents(), newEvent(raw), newTimeline(), newErase(), newSuppression(), newConsole(), newListen(), newJournal(), newVersion())
	root.Version = describe()
	root.SetVersionTemplate("{{.Version}}\n")
	return root
}

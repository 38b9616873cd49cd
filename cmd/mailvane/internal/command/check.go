package command

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/mailvane/mailvane/cmd/mailvane/internal/manifest"
)

const checkLong = `Say of a folder of manifests what a cluster would say, offline: the API server's schema and rules, and everything that
the controllers would report as a condition. Every problem is listed, with what to write instead. The exit status is 1 when
there is any. A cluster has no folder for File sinks; with --file-sinks they are checked as "mailvane run" takes them.

With --try FILE it also says what a receiver would make of a request that was captured: an HTTP request as it came, with its
headers, in a file. It shows whether the request is authentic and why not, each event as it would be emitted and the sinks that
would get it, and what would be a dead letter, with the reason. Nothing is stored or sent, but public keys are fetched where a provider has them
fetched. The endpoint is that of the request's path, unless --endpoint names one. The exit status is 1 when the request would be refused or any of it
would be a dead letter. A request of the past may be outside of a tolerance: --at says when it came.`

func newCheck() *cobra.Command {
	var folder, files string
	var try tryOptions
	c := &cobra.Command{
		Use: "check -f DIR", Short: "Check a folder of manifests, offline", Long: checkLong, Args: namesNoFolder,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := try.check(); err != nil {
				return err
			}
			if try.file != "" {
				return tryRequest(c, &try, folder, files)
			}
			if err := reportProblems(c.Context(), c.OutOrStdout(), folder, files); err != nil {
				return err
			}
			_, err := fmt.Fprintln(c.OutOrStdout(), "no problems")
			return err
		},
	}
	folderFlag(c, &folder)
	c.Flags().StringVar(&files, "file-sinks", "", "folder for File sinks, as of \"mailvane run\"; without it there is none, as in a cluster")
	c.Flags().StringVar(&try.file, "try", "", "file with an HTTP request, to say what a receiver would make of it")
	c.Flags().StringVar(&try.endpoint, "endpoint", "", "with --try, the endpoint, NAME or NAMESPACE/NAME; by default that of the request's path")
	c.Flags().StringVar(&try.at, "at", "", "with --try, when the request came, such as 2026-01-01T10:00:00Z; by default now")
	outputFlag(c, &try.format)
	return c
}

// tryRequest tries a request on the endpoints of a folder. What is wrong with the manifests goes beside it.
func tryRequest(c *cobra.Command, try *tryOptions, folder, files string) error {
	f, problems, err := readFolder(c.Context(), folder, files)
	if err != nil {
		return err
	}
	for _, p := range problems {
		fmt.Fprintln(c.ErrOrStderr(), p)
	}
	err = try.run(c.Context(), &f, problems, c.OutOrStdout())
	if err == nil && len(manifest.Faults(problems)) > 0 {
		return errReported
	}
	return err
}

// namesNoFolder refuses arguments, and says how a folder is named.
func namesNoFolder(c *cobra.Command, arguments []string) error {
	if len(arguments) > 0 {
		return &usageError{fmt.Sprintf("write \"%s -f %s\"", c.CommandPath(), arguments[0])}
	}
	return nil
}

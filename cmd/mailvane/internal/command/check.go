package command

import (
	"fmt"

	"github.com/spf13/cobra"
)

const checkLong = `Say of a folder of manifests what a cluster would say, offline: the API server's schema and rules, and everything that
the controllers would report as a condition. Every problem is listed, with what to write instead. The exit status is 1 when
there is any. A cluster has no folder for File sinks; with --file-sinks they are checked as "mailvane run" takes them.`

func newCheck() *cobra.Command {
	var folder, files string
	c := &cobra.Command{
		Use: "check -f DIR", Short: "Check a folder of manifests, offline", Long: checkLong, Args: namesNoFolder,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := reportProblems(c.Context(), c.OutOrStdout(), folder, files); err != nil {
				return err
			}
			_, err := fmt.Fprintln(c.OutOrStdout(), "no problems")
			return err
		},
	}
	folderFlag(c, &folder)
	c.Flags().StringVar(&files, "file-sinks", "", "folder for File sinks, as of \"mailvane run\"; without it there is none, as in a cluster")
	return c
}

// namesNoFolder refuses arguments, and says how a folder is named.
func namesNoFolder(c *cobra.Command, arguments []string) error {
	if len(arguments) > 0 {
		return &usageError{fmt.Sprintf("write \"%s -f %s\"", c.CommandPath(), arguments[0])}
	}
	return nil
}

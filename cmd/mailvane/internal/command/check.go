package command

import (
	"fmt"

	"github.com/spf13/cobra"
)

const checkLong = `Say of a folder of manifests what a cluster would say, offline: the API server's schema and rules, and everything that
the controllers would report as a condition. Every problem is listed, with what to write instead. The exit status is 1 when
there is any.`

func newCheck() *cobra.Command {
	var folder string
	c := &cobra.Command{
		Use: "check -f DIR", Short: "Check a folder of manifests, offline", Long: checkLong, Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := reportProblems(c.Context(), c.OutOrStdout(), folder); err != nil {
				return err
			}
			_, err := fmt.Fprintln(c.OutOrStdout(), "no problems")
			return err
		},
	}
	folderFlag(c, &folder)
	return c
}

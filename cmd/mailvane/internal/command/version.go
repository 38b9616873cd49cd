package command

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/mailvane/mailvane/internal/version"
)

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Say which release this is", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(c.OutOrStdout(), describe())
			return err
		},
	}
}

// describe names this build: its version and the platform.
func describe() string {
	return fmt.Sprintf("mailvane %s %s/%s %s", version.String(), runtime.GOOS, runtime.GOARCH, runtime.Version())
}

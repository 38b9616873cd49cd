package command

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/mailvane/mailvane/receiver/admin"
)

// act is what a command does to dead letters.
type act func(ctx context.Context, ids []uint64) (admin.Result, error)

// newDeadLetterAct returns a command that does something to the selected dead letters and says for which it failed.
func newDeadLetterAct(address *string, verb, done, short string, of func(*admin.Client) act) *cobra.Command {
	var s selection
	c := &cobra.Command{
		Use: verb + " [ID...]", Short: short,
		RunE: func(c *cobra.Command, arguments []string) error {
			client := newClient(*address)
			ids, err := s.ids(c, client, arguments)
			if err != nil {
				return err
			}
			result, err := of(client)(c.Context(), ids)
			for _, id := range slices.Sorted(maps.Keys(result.Failed)) {
				fmt.Fprintf(c.ErrOrStderr(), "%d: %s\n", id, result.Failed[id])
			}
			fmt.Fprintf(c.OutOrStdout(), "%d %s, %d failed\n", result.Done, done, len(result.Failed))
			if err == nil && len(result.Failed) > 0 {
				return errReported
			}
			return err
		},
	}
	s.flags(c)
	c.Flags().BoolVar(&s.all, "all", false, "all of them")
	return c
}

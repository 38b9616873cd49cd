package command

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mailvane/mailvane/internal/inspect"
	"github.com/mailvane/mailvane/receiver/admin"
	"github.com/mailvane/mailvane/receiver/admin/access"
)

func newErase() *cobra.Command {
	var from whom
	var recipient string
	var yes bool
	c := &cobra.Command{
		Use: "erase --recipient ADDRESS", Short: "Erase a recipient from the history and from the dead letters, for good", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if strings.TrimSpace(recipient) == "" {
				return &usageError{"write --recipient ADDRESS"}
			}
			scope, err := from.openReceivers(c.Context(), c.ErrOrStderr())
			if err != nil {
				return err
			}
			if !yes {
				counted, err := erase(c.Context(), scope.receivers, admin.Erasure{Recipient: recipient, CountAlone: true})
				if err != nil {
					return err
				}
				if !confirmed(c, counted) {
					return errors.New("nothing was erased")
				}
			}
			erased, err := erase(c.Context(), scope.receivers, admin.Erasure{Recipient: recipient})
			fmt.Fprintf(c.OutOrStdout(), "%d events and %d dead letters were erased\n", erased.Events, erased.DeadLetters)
			return err
		},
	}
	from.flags(c, []access.Right{access.Privacy})
	c.Long = c.Short + ".\n\nWhat is still to be delivered is delivered, and sinks keep what they have. Events that come later are kept again." + accessLong
	c.Flags().StringVar(&recipient, "recipient", "", "the address, in whatever case")
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return c
}

// erase has every receiver erase. Pods that share a journal share their dead letters, but each has a history of its own.
func erase(ctx context.Context, receivers []*inspect.Receiver, what admin.Erasure) (total admin.Erased, err error) {
	answers, err := inspect.Ask(ctx, receivers, func(ctx context.Context, r *inspect.Receiver) (admin.Erased, error) { return r.Erase(ctx, what) })
	for _, answer := range answers {
		total.Events += answer.Said.Events
		total.DeadLetters += answer.Said.DeadLetters
	}
	return total, err
}

// confirmed asks, and reports whether the answer is yes.
func confirmed(c *cobra.Command, counted admin.Erased) bool {
	fmt.Fprintf(c.OutOrStdout(), "%d events and %d dead letters name the recipient. Erase them for good? Write yes: ", counted.Events, counted.DeadLetters)
	line, _ := bufio.NewReader(c.InOrStdin()).ReadString('\n') // an end without a line is no yes
	return strings.TrimSpace(line) == "yes"
}

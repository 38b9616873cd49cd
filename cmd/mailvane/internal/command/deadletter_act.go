package command

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/mailvane/mailvane/internal/inspect"
	"github.com/mailvane/mailvane/receiver/admin"
)

// action is what a command does to dead letters of one receiver.
type action func(c *admin.Client, ctx context.Context, ids []uint64) (admin.Result, error)

var errSelection = &usageError{"name either the IDs, or give --all, --sink or --cause"}

// chosen are dead letters of one receiver.
type chosen struct {
	receiver *inspect.Receiver
	ids      []uint64
}

// newDeadLetterAct returns a command that does something to the selected dead letters and says for which it failed.
func newDeadLetterAct(verb, done, short string, do action) *cobra.Command {
	var from whom
	var s selection
	c := &cobra.Command{
		Use: verb + " [ID...]", Short: short,
		RunE: func(c *cobra.Command, arguments []string) error {
			selected := s.all || s.sink != "" || s.cause != ""
			if len(arguments) > 0 == selected {
				return errSelection
			}
			if err := s.check(); err != nil {
				return err
			}
			scope, err := from.openReceivers(c.Context(), c.ErrOrStderr())
			if err != nil {
				return err
			}
			work, err := s.choose(c.Context(), scope, arguments)
			if len(arguments) > 0 && err != nil {
				return err
			}
			failed, failure := scope.perform(c, work, done, do)
			if err = errors.Join(err, failure); err == nil && failed > 0 {
				return errReported
			}
			return err
		},
	}
	from.flags(c, act())
	s.flags(c)
	c.Flags().BoolVar(&s.all, "all", false, "all of them")
	return c
}

// perform does it, receiver after receiver, and says how often it was done and what failed.
func (s *scope) perform(c *cobra.Command, work []chosen, done string, do action) (failed int, err error) {
	succeeded := 0
	var errs []error
	for _, part := range work {
		result, err := do(part.receiver.Client, c.Context(), part.ids)
		for _, id := range slices.Sorted(maps.Keys(result.Failed)) {
			fmt.Fprintf(c.ErrOrStderr(), "%s: %s\n", s.reference(part.receiver, id), result.Failed[id])
		}
		if gone := len(part.ids) - result.Done - len(result.Failed); gone > 0 && err == nil {
			fmt.Fprintf(c.ErrOrStderr(), "%d of them are there no more\n", gone)
			failed += gone
		}
		succeeded, failed = succeeded+result.Done, failed+len(result.Failed)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", part.receiver, err))
		}
	}
	fmt.Fprintf(c.OutOrStdout(), "%d %s, %d failed\n", succeeded, done, failed)
	return failed, errors.Join(errs...)
}

// choose returns the dead letters that are named, or else those that match.
func (s *selection) choose(ctx context.Context, scope *scope, references []string) ([]chosen, error) {
	if len(references) > 0 {
		return scope.named(references)
	}
	found, err := s.each(ctx, scope.receivers)
	var work []chosen
	for _, answer := range found {
		part := chosen{receiver: answer.From}
		for i := range answer.Said {
			part.ids = append(part.ids, answer.Said[i].ID)
		}
		work = append(work, part)
	}
	return work, err
}

// named returns the dead letters that references name, or an error if there is one that cannot be.
func (s *scope) named(references []string) ([]chosen, error) {
	var work []chosen
	for _, reference := range references {
		r, id, err := s.resolve(reference)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(work, func(c chosen) bool { return c.receiver == r })
		if i < 0 {
			i, work = len(work), append(work, chosen{receiver: r})
		}
		work[i].ids = append(work[i].ids, id)
	}
	return work, nil
}

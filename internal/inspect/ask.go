// Package inspect asks many receivers and merges what they answer. The command line, the console and the manager share it.
package inspect

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/mailvane/mailvane/receiver/admin"
)

// askedAtOnce bounds the receivers that are asked at a time.
const askedAtOnce = 16

// Receiver is one receiver that is asked.
type Receiver struct {
	*admin.Client

	// Name is "namespace/pod", or the address of one that is asked by its address.
	Name string
	// Pod is the name of the pod alone; empty = it is asked by its address.
	Pod string
	// Denied says why it cannot be asked; all pods of a receiver have the same.
	Denied error
}

// String returns the name.
func (r *Receiver) String() string { return r.Name }

// Answer is what one receiver answered.
type Answer[T any] struct {
	From *Receiver
	Said T
}

// Answers are what receivers answered, in their order, without those that did not answer.
type Answers[T any] []Answer[T]

// Ask asks every receiver, some at a time. The error says which did not answer, and why.
func Ask[T any](ctx context.Context, receivers []*Receiver, question func(context.Context, *Receiver) (T, error)) (Answers[T], error) {
	all := make(Answers[T], len(receivers))
	errs := make([]error, len(receivers))
	var group errgroup.Group
	group.SetLimit(askedAtOnce)
	for i, r := range receivers {
		if r.Denied != nil {
			errs[i] = r.Denied
			continue
		}
		group.Go(func() error {
			said, err := question(ctx, r)
			if err != nil {
				errs[i] = fmt.Errorf("%s: %w", r, err)
			}
			all[i].From, all[i].Said = r, said
			return nil
		})
	}
	_ = group.Wait() // the errors are in errs
	var out Answers[T]
	for i := range all {
		if errs[i] == nil {
			out = append(out, all[i])
		}
	}
	return out, errors.Join(distinct(errs)...)
}

// distinct returns each error once: the pods of a receiver are denied for the same reason.
func distinct(errs []error) []error {
	var out []error
	for _, err := range errs {
		if err != nil && !slices.Contains(out, err) {
			out = append(out, err)
		}
	}
	return out
}

// Journals returns one receiver for each journal: of receivers that share one, the first.
func Journals(ctx context.Context, receivers []*Receiver) ([]*Receiver, error) {
	if len(receivers) < 2 {
		return receivers, nil
	}
	names, err := Ask(ctx, receivers, sharedName)
	known := map[string]bool{}
	var out []*Receiver
	for _, name := range names {
		if name.Said == "" || !known[name.Said] {
			out = append(out, name.From)
		}
		known[name.Said] = true
	}
	return out, err
}

func sharedName(ctx context.Context, r *Receiver) (string, error) {
	journal, err := r.Journal(ctx)
	return journal.Shared, err
}

package command

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"
)

// askedAtOnce bounds the receivers that are asked at a time.
const askedAtOnce = 16

// answers are what receivers answered, in their order, without those that did not answer.
type answers[T any] []struct {
	from *receiver
	said T
}

// ask asks every receiver. The error says which did not answer, and why.
func ask[T any](ctx context.Context, receivers []*receiver, question func(context.Context, *receiver) (T, error)) (answers[T], error) {
	all := make(answers[T], len(receivers))
	errs := make([]error, len(receivers))
	var group errgroup.Group
	group.SetLimit(askedAtOnce)
	for i, r := range receivers {
		if r.denied != nil {
			errs[i] = r.denied
			continue
		}
		group.Go(func() error {
			said, err := question(ctx, r)
			if err != nil {
				errs[i] = fmt.Errorf("%s: %w", r, err)
			}
			all[i].from, all[i].said = r, said
			return nil
		})
	}
	_ = group.Wait() // the errors are in errs
	var out answers[T]
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

// journals returns one receiver for each journal: of receivers that share one, the first.
func journals(ctx context.Context, receivers []*receiver) ([]*receiver, error) {
	if len(receivers) < 2 {
		return receivers, nil
	}
	names, err := ask(ctx, receivers, sharedName)
	known := map[string]bool{}
	var out []*receiver
	for _, name := range names {
		if name.said == "" || !known[name.said] {
			out = append(out, name.from)
		}
		known[name.said] = true
	}
	return out, err
}

func sharedName(ctx context.Context, r *receiver) (string, error) {
	journal, err := r.Journal(ctx)
	return journal.Shared, err
}

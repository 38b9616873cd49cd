package command

import (
	"context"
	"errors"
	"fmt"

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
	return out, errors.Join(errs...)
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

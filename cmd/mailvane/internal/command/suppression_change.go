package command

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/spf13/cobra"

	"github.com/mailvane/mailvane/receiver/suppression"
)

func newSuppressionExport() *cobra.Command {
	var l listed
	var format string
	c := &cobra.Command{
		Use: "export", Short: "Write all that is suppressed, for a provider's list or another program", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			put, flush, err := exporter(c.OutOrStdout(), format)
			if err != nil {
				return err
			}
			return l.with(c, func(ctx context.Context, s suppression.Store) error {
				err := s.Walk(ctx, func(r suppression.Row) error {
					if !r.InForce() {
						return nil
					}
					return put(told(&r))
				})
				return errors.Join(err, flush())
			})
		},
	}
	l.flags(c)
	c.Flags().StringVarP(&format, "output", "o", "csv", "output format: csv or jsonl")
	return c
}

// exporter returns what writes one row, and what ends the writing.
func exporter(w io.Writer, format string) (put func(suppressed) error, flush func() error, err error) {
	switch format {
	case "jsonl":
		return func(s suppressed) error {
			if err := json.MarshalWrite(w, s, json.Deterministic(true)); err != nil {
				return fmt.Errorf("write: %w", err)
			}
			_, err := fmt.Fprintln(w)
			return err
		}, func() error { return nil }, nil
	case "csv":
		out := csv.NewWriter(w)
		if err := out.Write([]string{"address", "scope", "class", "last_at", "provider", "reason"}); err != nil {
			return nil, nil, fmt.Errorf("write: %w", err)
		}
		return func(s suppressed) error {
				return out.Write([]string{formula(s.Address), formula(s.Scope), s.Class, stamp(s.LastAt), formula(s.Provider), formula(s.Reason)})
			}, func() error {
				out.Flush()
				return out.Error()
			}, nil
	default:
		return nil, nil, &usageError{fmt.Sprintf("unknown output format %q: use csv or jsonl", format)}
	}
}

// formula keeps a spreadsheet from computing what a provider has written: https://owasp.org/www-community/attacks/CSV_Injection
func formula(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

// changed says what a person changes.
type changed struct {
	listed

	scope, reason string
}

func (o *changed) flags(c *cobra.Command) {
	o.listed.flags(c)
	c.Flags().StringVar(&o.scope, "scope", "", "the list that it is about, such as postmark:newsletter")
	c.Flags().StringVar(&o.reason, "reason", "", "who wants it and why, which is kept; required")
}

func (o *changed) check() error {
	if strings.TrimSpace(o.reason) == "" {
		return &usageError{"write --reason \"who wants it and why\"; it is kept with the address"}
	}
	return nil
}

func newSuppressionAdd() *cobra.Command {
	var o changed
	c := &cobra.Command{
		Use: "add ADDRESS", Short: "Suppress an address", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, arguments []string) error {
			address := suppression.Fold(arguments[0])
			if err := o.check(); err != nil {
				return err
			}
			if at := strings.LastIndexByte(address, '@'); at < 1 || at == len(address)-1 {
				return &usageError{fmt.Sprintf("%q is no address", arguments[0])}
			}
			if o.scope == "" {
				o.scope = suppression.Everything
			}
			return o.with(c, func(ctx context.Context, s suppression.Store) error {
				now := time.Now().UTC().Truncate(time.Microsecond)
				change := suppression.Change{
					Key: suppression.Key{Address: address, Scope: o.scope, Class: suppression.Manual}, At: now,
					Origin: suppression.Origin{ID: now.Format(time.RFC3339Nano), Reason: o.reason},
				}
				return apply(c, ctx, s, []suppression.Change{change}, "suppressed")
			})
		},
	}
	o.flags(c)
	return c
}

func newSuppressionRelease() *cobra.Command {
	var o changed
	var class string
	c := &cobra.Command{
		Use: "release ADDRESS", Short: "Let an address get mail again", Args: cobra.ExactArgs(1),
		Long: "Let an address get mail again. It is suppressed anew by whatever happens from now on. Take care with complaints: who has complained does not want the mail.",
		RunE: func(c *cobra.Command, arguments []string) error {
			if err := o.check(); err != nil {
				return err
			}
			return o.with(c, func(ctx context.Context, s suppression.Store) error {
				rows, err := find(ctx, s, arguments[0])
				if err != nil {
					return err
				}
				changes := suppression.Release(rows, suppression.Class(class), o.scope, o.reason, time.Now())
				if len(changes) == 0 {
					return errors.New("nothing was in force for the address; see \"mailvane suppression check\"")
				}
				return apply(c, ctx, s, changes, "released")
			})
		},
	}
	o.flags(c)
	c.Flags().StringVar(&class, "class", "", "release this alone: "+classes())
	return c
}

func apply(c *cobra.Command, ctx context.Context, s suppression.Store, changes []suppression.Change, what string) error { //nolint:revive // The command comes first, as everywhere here.
	ctx, cancel := context.WithTimeout(ctx, suppressionTimeout)
	defer cancel()
	if err := s.Apply(ctx, changes); err != nil {
		return err
	}
	for i := range changes {
		fmt.Fprintf(c.OutOrStdout(), "%s: %s (%s, %s)\n", what, changes[i].Address, changes[i].Class, changes[i].Scope)
	}
	return nil
}

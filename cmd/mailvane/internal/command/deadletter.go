package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"

	"github.com/mailvane/mailvane/internal/inspect"
	"github.com/mailvane/mailvane/receiver/admin"
	"github.com/mailvane/mailvane/receiver/journal"
)

// letter is a dead letter as commands show it.
type letter struct {
	// Reference is what commands take for it; see [scope.reference].
	Reference string `json:"id"`
	admin.DeadLetter
}

// maskedNote stands in place of a payload.
const maskedNote = "\nThe payload and what is personal in the reason are masked: it takes the right privacy to see them, which the ClusterRole mailvane-privacy grants.\n"

// selection says which dead letters a command is about.
type selection struct {
	all   bool
	sink  string
	cause string
}

func newDeadLetter(raw io.Writer) *cobra.Command {
	c := &cobra.Command{Use: "deadletter", Short: "Look after events that could not be decoded, routed or delivered"}
	c.AddCommand(newDeadLetterList(), newDeadLetterShow(raw),
		newDeadLetterAct("retry", "retried", "Deliver dead letters again, under the present configuration", (*admin.Client).Retry),
		newDeadLetterAct("drop", "dropped", "Remove dead letters for good", (*admin.Client).Drop))
	return c
}

func (s *selection) flags(c *cobra.Command) {
	c.Flags().StringVar(&s.sink, "sink", "", "only those of the sink NAMESPACE/NAME")
	c.Flags().StringVar(&s.cause, "cause", "", "only those with this cause: "+strings.Join(causes(), ", "))
}

// causes are what a dead letter may be for.
func causes() []string {
	return []string{
		string(journal.CauseUndecodable), string(journal.CauseFilterFailed), string(journal.CauseRefused),
		string(journal.CauseExpired), string(journal.CauseTooLarge),
	}
}

// check refuses a selection that can select nothing.
func (s *selection) check() error {
	if s.cause != "" && !slices.Contains(causes(), s.cause) {
		return &usageError{fmt.Sprintf("--cause %q: it is one of %s", s.cause, strings.Join(causes(), ", "))}
	}
	if s.sink != "" && strings.Count(s.sink, "/") != 1 {
		return &usageError{fmt.Sprintf("--sink %q: write NAMESPACE/NAME", s.sink)}
	}
	return nil
}

func (s *selection) matches(d *admin.DeadLetter) bool {
	return (s.sink == "" || s.sink == d.Sink) && (s.cause == "" || s.cause == string(d.Cause))
}

// of returns the selected dead letters of one receiver, oldest first.
func (s *selection) of(ctx context.Context, r *inspect.Receiver) ([]admin.DeadLetter, error) {
	var out []admin.DeadLetter
	err := r.DeadLetters(ctx, func(d *admin.DeadLetter) error {
		if s.matches(d) {
			out = append(out, *d)
		}
		return nil
	})
	return out, err
}

// each returns the selected dead letters of every journal.
func (s *selection) each(ctx context.Context, receivers []*inspect.Receiver) (inspect.Answers[[]admin.DeadLetter], error) {
	distinct, failed := inspect.Journals(ctx, receivers)
	found, err := inspect.Ask(ctx, distinct, s.of)
	return found, errors.Join(failed, err)
}

func newDeadLetterList() *cobra.Command {
	var from whom
	var format string
	var s selection
	c := &cobra.Command{
		Use: "list", Short: "List dead letters, those of each receiver oldest first", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := s.check(); err != nil {
				return err
			}
			scope, err := from.openReceivers(c.Context(), c.ErrOrStderr())
			if err != nil {
				return err
			}
			found, err := s.each(c.Context(), scope.receivers)
			letters := []letter{}
			t := table{header: deadLetterHeader()}
			for _, answer := range found {
				for i := range answer.Said {
					l := letter{Reference: scope.reference(answer.From, answer.Said[i].ID), DeadLetter: answer.Said[i]}
					letters = append(letters, l)
					t.rows = append(t.rows, l.row())
				}
			}
			return errors.Join(write(c.OutOrStdout(), format, letters, t), err)
		},
	}
	from.flags(c, readClear())
	s.flags(c)
	outputFlag(c, &format)
	return c
}

func deadLetterHeader() []string {
	return []string{"ID", "TIME", "CAUSE", "ENDPOINT", "ROUTE", "SINK", "ATTEMPTS", "REASON"}
}

func (l *letter) row() []string {
	return []string{
		l.Reference, l.Time.Format(time.RFC3339), string(l.Cause), l.Endpoint, cmp.Or(l.Route, "-"), cmp.Or(l.Sink, "-"), strconv.Itoa(l.Attempts), l.Reason,
	}
}

func newDeadLetterShow(raw io.Writer) *cobra.Command {
	var from whom
	var bytesAlone bool
	c := &cobra.Command{
		Use: "show ID", Short: "Show one dead letter with its payload", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, arguments []string) error {
			scope, err := from.openReceivers(c.Context(), c.ErrOrStderr())
			if err != nil {
				return err
			}
			r, id, err := scope.resolve(arguments[0])
			if err != nil {
				return err
			}
			d, err := r.DeadLetter(c.Context(), id)
			if err != nil {
				return err
			}
			l := letter{Reference: arguments[0], DeadLetter: d}
			if bytesAlone {
				return l.writePayload(raw)
			}
			return l.show(c.OutOrStdout())
		},
	}
	from.flags(c, readClear())
	c.Flags().BoolVar(&bytesAlone, "raw", false, "write the payload alone, byte for byte: for a file or a pipe, not for a terminal")
	return c
}

// writePayload writes the payload as it came.
func (l *letter) writePayload(out io.Writer) error {
	payload := []byte(l.Payload)
	if len(l.PayloadBase64) > 0 {
		payload = l.PayloadBase64
	}
	if l.Masked {
		return errors.New("the payload is masked: it takes the right privacy to see it, which the ClusterRole mailvane-privacy grants")
	}
	_, err := out.Write(payload)
	return err
}

func (l *letter) show(out io.Writer) error {
	row := l.row()
	for i, name := range deadLetterHeader() {
		fmt.Fprintf(out, "%-9s %s\n", name, oneLine(row[i : i+1])[0])
	}
	if l.Masked {
		_, err := fmt.Fprint(out, maskedNote)
		return err
	}
	payload := jsontext.Value(l.Payload)
	if len(l.PayloadBase64) > 0 {
		payload = l.PayloadBase64
	}
	if payload.IsValid() {
		if err := payload.Indent(); err != nil {
			return fmt.Errorf("indent payload: %w", err)
		}
	}
	_, err := fmt.Fprintf(out, "\n%s\n", payload)
	return err
}

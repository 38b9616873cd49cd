package command

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailvane/mailvane/internal/inspect"
	"github.com/mailvane/mailvane/receiver/admin"
	"github.com/mailvane/mailvane/receiver/history"
)

func newEvent(raw io.Writer) *cobra.Command {
	var from whom
	var format string
	var bytesAlone bool
	c := &cobra.Command{
		Use: "event ID", Short: "Show the whole story of one event", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, arguments []string) error {
			scope, err := from.openReceivers(c.Context(), c.ErrOrStderr())
			if err != nil {
				return err
			}
			found, err := inspect.Search(c.Context(), scope.receivers, url.Values{admin.QueryID: {arguments[0]}, admin.QueryPayload: {"true"}}, history.DefaultLimit)
			if len(found) == 0 {
				return cmp.Or(err, fmt.Errorf("no history has an event %s: it may be too old, or none of this receiver", arguments[0]))
			}
			switch {
			case bytesAlone:
				return writeEvent(raw, &found[0])
			case format != "table":
				return errors.Join(write(c.OutOrStdout(), format, found, table{}), err)
			}
			for i := range found {
				tell(c.OutOrStdout(), &found[i])
			}
			return err
		},
	}
	from.flags(c, readClear())
	outputFlag(c, &format)
	c.Flags().BoolVar(&bytesAlone, "raw", false, "write the event alone, as it was stored: for a file or a pipe, not for a terminal")
	return c
}

func writeEvent(out io.Writer, e *admin.HistoryEvent) error {
	if e.Masked {
		return errors.New("the event is masked: it takes the right privacy to see it, which the ClusterRole mailvane-privacy grants")
	}
	_, err := io.WriteString(out, e.Payload)
	return err
}

// tell writes everything that is known of an event.
func tell(out io.Writer, e *admin.HistoryEvent) {
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(out, "%-10s %s\n", name, oneLine([]string{value})[0])
		}
	}
	line("ID", e.ID)
	line("TYPE", e.Type)
	line("STATE", e.State)
	line("ENDPOINT", e.Endpoint)
	line("PROVIDER", strings.TrimSpace(e.Provider+" "+e.ProviderEvent))
	line("HAPPENED", e.Time.Format(time.RFC3339))
	line("ACCEPTED", e.AcceptedAt.Format(time.RFC3339Nano))
	line("RECIPIENT", e.Recipient)
	line("SENDER", e.Sender)
	line("SUBJECT", e.Subject)
	line("MESSAGE", strings.TrimSpace(e.MessageID+" "+e.ProviderMessageID))
	line("CODE", codeOf(e))
	line("REASON", e.Reason)
	line("SINKS", sinksOf(e))
	if e.Unverified {
		line("UNVERIFIED", "the request failed verification, and its endpoint is in shadow mode")
	}
	fmt.Fprintln(out)
	t := table{header: []string{"TIME", "SINK", "OUTCOME", "TOOK", "ANSWER"}}
	for _, a := range e.Attempts {
		t.rows = append(t.rows, attemptRow(&a))
	}
	if len(t.rows) > 0 {
		_ = t.write(out) // there is nobody to tell
	}
	switch {
	case e.Masked:
		fmt.Fprint(out, maskedNote)
	case e.Payload != "":
		fmt.Fprintf(out, "\n%s\n", e.Payload)
	}
}

func attemptRow(a *admin.Attempt) []string {
	return []string{a.Time.Format(time.RFC3339Nano), a.Sink, a.Outcome, (time.Duration(a.Milliseconds) * time.Millisecond).String(), a.Answer}
}

func sinksOf(e *admin.HistoryEvent) string {
	switch {
	case e.SinksUnknown:
		return "not known: another pod handed it off"
	case len(e.Sinks) == 0:
		return "none: no route took it"
	}
	return strings.Join(e.Sinks, ", ")
}

func newTimeline() *cobra.Command {
	var from whom
	var format string
	var limit int
	c := &cobra.Command{
		Use: "timeline MESSAGE|RECIPIENT", Short: "Show what happened to a message, or to a recipient, the oldest first", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, arguments []string) error {
			scope, err := from.openReceivers(c.Context(), c.ErrOrStderr())
			if err != nil {
				return err
			}
			asked := strings.Trim(arguments[0], "<>")
			found, err := inspect.Search(c.Context(), scope.receivers, url.Values{admin.QueryMessage: {asked}}, limit)
			if len(found) == 0 && err == nil { // what looks like an address may be a message id
				found, err = inspect.Search(c.Context(), scope.receivers, url.Values{admin.QueryRecipient: {asked}}, limit)
			}
			slices.Reverse(found)
			if format != "table" {
				return errors.Join(write(c.OutOrStdout(), format, found, table{}), err)
			}
			return errors.Join(write(c.OutOrStdout(), format, nil, timelineTable(found)), err)
		},
	}
	from.flags(c, readClear())
	outputFlag(c, &format)
	c.Flags().IntVar(&limit, "limit", history.MaxLimit, "at most so many events, the latest")
	return c
}

// timelineTable has each event, and below it what became of it.
func timelineTable(found []admin.HistoryEvent) table {
	t := table{header: []string{"TIME", "WHAT", "WHERE", "RECIPIENT", "MORE"}}
	for i := range found {
		e := &found[i]
		t.rows = append(t.rows, []string{e.Time.Format(time.RFC3339), e.Type, e.Endpoint, cmp.Or(e.Recipient, "-"), strings.TrimSpace(strings.Trim(codeOf(e), "-") + " " + e.Reason)})
		for _, a := range e.Attempts {
			t.rows = append(t.rows, []string{a.Time.Format(time.RFC3339), "  " + a.Outcome, a.Sink, "", a.Answer})
		}
		if len(e.Attempts) == 0 {
			t.rows = append(t.rows, []string{e.AcceptedAt.Format(time.RFC3339), "  " + e.State, sinksOf(e), "", ""})
		}
	}
	return t
}

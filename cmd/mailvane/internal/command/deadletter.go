package command

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"

	"github.com/mailvane/mailvane/receiver/admin"
)

// selection says which dead letters a command is about.
type selection struct {
	all   bool
	sink  string
	cause string
}

func newDeadLetter() *cobra.Command {
	var address string
	c := &cobra.Command{Use: "deadletter", Short: "Look after events that could not be decoded, routed or delivered"}
	adminFlag(c, &address)
	c.AddCommand(newDeadLetterList(&address), newDeadLetterShow(&address),
		newDeadLetterAct(&address, "retry", "retried", "Deliver dead letters again, under the present configuration",
			func(client *admin.Client) act { return client.Retry }),
		newDeadLetterAct(&address, "drop", "dropped", "Remove dead letters for good",
			func(client *admin.Client) act { return client.Drop }))
	return c
}

func (s *selection) flags(c *cobra.Command) {
	c.Flags().StringVar(&s.sink, "sink", "", "only those of the sink NAMESPACE/NAME")
	c.Flags().StringVar(&s.cause, "cause", "", "only those with this cause: Undecodable, FilterFailed, Refused or Expired")
}

func (s *selection) matches(d *admin.DeadLetter) bool {
	return (s.sink == "" || s.sink == d.Sink) && (s.cause == "" || s.cause == string(d.Cause))
}

func newDeadLetterList(address *string) *cobra.Command {
	var format string
	var s selection
	c := &cobra.Command{
		Use: "list", Short: "List dead letters, oldest first", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			letters := []admin.DeadLetter{}
			t := table{header: deadLetterHeader()}
			err := newClient(*address).DeadLetters(c.Context(), func(d *admin.DeadLetter) error {
				if s.matches(d) {
					letters = append(letters, *d)
					t.rows = append(t.rows, deadLetterRow(d))
				}
				return nil
			})
			if err != nil {
				return err
			}
			return write(c.OutOrStdout(), format, letters, t)
		},
	}
	s.flags(c)
	outputFlag(c, &format)
	return c
}

func deadLetterHeader() []string {
	return []string{"ID", "TIME", "CAUSE", "ENDPOINT", "SINK", "ATTEMPTS", "REASON"}
}

func deadLetterRow(d *admin.DeadLetter) []string {
	sink := d.Sink
	if sink == "" {
		sink = "-"
	}
	return []string{
		strconv.FormatUint(d.ID, 10), d.Time.Format(time.RFC3339), string(d.Cause), d.Endpoint, sink,
		strconv.Itoa(d.Attempts), d.Reason,
	}
}

func newDeadLetterShow(address *string) *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "Show one dead letter with its payload", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, arguments []string) error {
			ids, err := parseIDs(arguments)
			if err != nil {
				return err
			}
			letter, err := newClient(*address).DeadLetter(c.Context(), ids[0])
			if err != nil {
				return err
			}
			return showDeadLetter(c, &letter)
		},
	}
}

func showDeadLetter(c *cobra.Command, d *admin.DeadLetter) error {
	out := c.OutOrStdout()
	row := deadLetterRow(d)
	for i, name := range deadLetterHeader() {
		fmt.Fprintf(out, "%-9s %s\n", name, oneLine(row[i : i+1])[0])
	}
	payload := jsontext.Value(d.Payload)
	if len(d.PayloadBase64) > 0 {
		payload = d.PayloadBase64
	}
	if payload.IsValid() {
		if err := payload.Indent(); err != nil {
			return fmt.Errorf("indent payload: %w", err)
		}
	}
	_, err := fmt.Fprintf(out, "\n%s\n", payload)
	return err
}

func parseIDs(arguments []string) ([]uint64, error) {
	ids := make([]uint64, 0, len(arguments))
	for _, text := range arguments {
		id, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%q is not the ID of a dead letter; `mailvane deadletter list` shows them", text)
		}
		ids = append(ids, id)
	}
	return ids, nil
}

var errSelection = errors.New("name the IDs, or give --all, --sink or --cause")

func (s *selection) ids(c *cobra.Command, client *admin.Client, arguments []string) ([]uint64, error) {
	if len(arguments) > 0 {
		return parseIDs(arguments)
	}
	if !s.all && s.sink == "" && s.cause == "" {
		return nil, errSelection
	}
	var ids []uint64
	err := client.DeadLetters(c.Context(), func(d *admin.DeadLetter) error {
		if s.matches(d) {
			ids = append(ids, d.ID)
		}
		return nil
	})
	return ids, err
}

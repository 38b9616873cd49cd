package command

import (
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailvane/mailvane/receiver/admin"
)

func newSinks() *cobra.Command {
	var address, format string
	c := &cobra.Command{
		Use:   "sinks",
		Short: "List the sinks of a running receiver: what waits and what fails",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			sinks, err := newClient(address).Sinks(c.Context())
			if err != nil {
				return err
			}
			t := table{header: []string{"SINK", "TYPE", "STATE", "PENDING", "OLDEST", "LAST ERROR"}}
			for i := range sinks {
				t.rows = append(t.rows, sinkRow(&sinks[i]))
			}
			return write(c.OutOrStdout(), format, sinks, t)
		},
	}
	adminFlag(c, &address)
	outputFlag(c, &format)
	return c
}

func sinkRow(s *admin.Sink) []string {
	state, oldest := "failing", "-"
	if s.Healthy {
		state = "ok"
	}
	if s.Pending > 0 {
		oldest = (time.Duration(s.OldestSeconds) * time.Second).String()
	}
	return []string{s.Name, s.Type, state, strconv.FormatInt(s.Pending, 10), oldest, s.LastError}
}

package command

import (
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailvane/mailvane/internal/inspect"
	"github.com/mailvane/mailvane/receiver/admin"
)

func newSinks() *cobra.Command {
	var from whom
	var format string
	c := &cobra.Command{
		Use: "sinks", Short: "List sinks: what waits and what fails", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := from.open()
			if err != nil {
				return err
			}
			if s.cluster == nil {
				return fedSinks(c, s.receivers[0], format)
			}
			return clusterSinks(c, s, format)
		},
	}
	from.flags(c, read())
	outputFlag(c, &format)
	return c
}

// fedSinks lists the sinks of one receiver.
func fedSinks(c *cobra.Command, r *inspect.Receiver, format string) error {
	sinks, err := r.Sinks(c.Context())
	if err != nil {
		return err
	}
	t := table{header: []string{"SINK", "TYPE", "STATE", "PENDING", "OLDEST", "LAST ERROR"}}
	for i := range sinks {
		s := &sinks[i]
		t.rows = append(t.rows, slices.Concat([]string{s.Name, s.Type}, delivering(s)))
	}
	return write(c.OutOrStdout(), format, sinks, t)
}

// delivering returns the columns that say how a sink does.
func delivering(s *admin.Sink) []string {
	state, oldest := "failing", "-"
	if s.Healthy {
		state = "ok"
	}
	if s.Pending > 0 {
		oldest = (time.Duration(s.OldestSeconds) * time.Second).String()
	}
	return []string{state, strconv.FormatInt(s.Pending, 10), oldest, s.LastError}
}

// clusterSinks lists the sinks of a cluster. What the receivers do not say is missing, and said to be.
func clusterSinks(c *cobra.Command, s *scope, format string) error {
	objects, err := s.cluster.Sinks(c.Context())
	if err != nil {
		return err
	}
	err = s.find(c.Context(), c.ErrOrStderr())
	sinks, failed := inspect.Sinks(c.Context(), objects, s.receivers)
	t := table{header: []string{"SINK", "TYPE", "READY", "REASON", "RECEIVERS", "STATE", "PENDING", "OLDEST", "LAST ERROR"}}
	for i := range sinks {
		k := &sinks[i]
		columns := delivering(&k.Sink)
		if k.Receivers == 0 {
			columns = []string{"-", "-", "-", ""}
		}
		t.rows = append(t.rows, slices.Concat([]string{k.Name, k.Type, k.Ready, k.Reason, strconv.Itoa(k.Receivers)}, columns))
	}
	return errors.Join(write(c.OutOrStdout(), format, sinks, t), err, failed)
}

package command

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mailvane/mailvane/internal/inspect"
	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/metrics"
)

func newEndpoints() *cobra.Command {
	var from whom
	var format string
	c := &cobra.Command{
		Use: "endpoints", Short: "List endpoints, and what came to them since their receivers started", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := from.open()
			if err != nil {
				return err
			}
			if s.cluster == nil {
				return servedEndpoints(c, s.receivers[0], format)
			}
			return clusterEndpoints(c, s, format)
		},
	}
	from.flags(c, read())
	outputFlag(c, &format)
	return c
}

// servedEndpoints lists the endpoints of one receiver.
func servedEndpoints(c *cobra.Command, r *inspect.Receiver, format string) error {
	endpoints, err := r.Endpoints(c.Context())
	if err != nil {
		return err
	}
	t := table{header: []string{"ENDPOINT", "PROVIDER", "PATH", "VERIFICATION", "STATE", "ACCEPTED", "DUPLICATES", "REFUSED", "TOO LARGE", "PROBLEMS", "SINKS"}}
	for i := range endpoints {
		e := &endpoints[i]
		t.rows = append(t.rows, slices.Concat([]string{e.Name, e.Provider, e.Path, e.Verification, e.State}, counts(e.Counts), []string{problems(e.Problems), strings.Join(e.Routes, ",")}))
	}
	return write(c.OutOrStdout(), format, endpoints, t)
}

func counts(c metrics.Counts) []string {
	return []string{
		strconv.FormatUint(c.Accepted, 10), strconv.FormatUint(c.Duplicates, 10), strconv.FormatUint(c.Refused, 10), strconv.FormatUint(c.TooLarge, 10),
	}
}

// problems returns the kinds of problems, and the routes that have them. A cluster tells them in conditions.
func problems(all []config.Problem) string {
	if len(all) == 0 {
		return "-"
	}
	kinds := make([]string, len(all))
	for i, p := range all {
		kinds[i] = p.Kind
		if p.Route != "" {
			kinds[i] += "(" + p.Route + ")"
		}
	}
	return strings.Join(kinds, ",")
}

// clusterEndpoints lists the endpoints of a cluster. What the receivers do not say is missing, and said to be.
func clusterEndpoints(c *cobra.Command, s *scope, format string) error {
	objects, err := s.cluster.Endpoints(c.Context())
	if err != nil {
		return err
	}
	err = s.find(c.Context(), c.ErrOrStderr())
	endpoints, failed := inspect.Endpoints(c.Context(), objects, s.receivers)
	t := table{header: []string{"ENDPOINT", "PROVIDER", "READY", "REASON", "REGISTERED", "RECEIVERS", "ACCEPTED", "DUPLICATES", "REFUSED", "TOO LARGE", "URL"}}
	for i := range endpoints {
		e := &endpoints[i]
		t.rows = append(t.rows, slices.Concat([]string{e.Name, e.Provider, e.Ready, e.Reason, cmp.Or(e.Registered, "-"), strconv.Itoa(e.Receivers)}, counts(e.Counts), []string{e.URL}))
	}
	return errors.Join(write(c.OutOrStdout(), format, endpoints, t), err, failed)
}

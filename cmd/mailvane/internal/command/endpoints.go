package command

import (
	"strings"

	"github.com/spf13/cobra"
)

func newEndpoints() *cobra.Command {
	var address, format string
	c := &cobra.Command{
		Use:   "endpoints",
		Short: "List the endpoints that a running receiver serves",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			endpoints, err := newClient(address).Endpoints(c.Context())
			if err != nil {
				return err
			}
			t := table{header: []string{"ENDPOINT", "PROVIDER", "PATH", "VERIFICATION", "STATE", "SINKS"}}
			for i := range endpoints {
				e := &endpoints[i]
				t.rows = append(t.rows, []string{e.Name, e.Provider, e.Path, e.Verification, e.State, strings.Join(e.Routes, ",")})
			}
			return write(c.OutOrStdout(), format, endpoints, t)
		},
	}
	adminFlag(c, &address)
	outputFlag(c, &format)
	return c
}

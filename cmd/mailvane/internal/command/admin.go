package command

import (
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailvane/mailvane/receiver/admin"
)

// defaultAdmin is where `mailvane run` serves its admin API unless told otherwise.
const defaultAdmin = "127.0.0.1:9090"

// adminTimeout bounds one call of the admin API.
const adminTimeout = time.Minute

// adminFlag adds --admin to a command that asks a running receiver.
func adminFlag(c *cobra.Command, address *string) {
	c.PersistentFlags().StringVar(address, "admin", "http://"+defaultAdmin, "address of the receiver's admin API")
}

func newClient(address string) *admin.Client {
	return &admin.Client{BaseURL: address, HTTP: &http.Client{Timeout: adminTimeout}}
}

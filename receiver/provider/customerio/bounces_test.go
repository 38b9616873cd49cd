package customerio_test

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

// TestThePageHasTheBounces holds the page for readers against what Decode makes of a refusal.
func TestThePageHasTheBounces(t *testing.T) {
	t.Parallel()
	providertest.CheckBounces(t, suite(), &providertest.Bounces{
		Page: "customer.io", Name: "bounces", Sample: "email-bounced",
		At: []jsontext.Pointer{"/metric", "/data/failure_message"},
		Rows: []providertest.Row{
			{"bounced", "550 5.1.1 No such user"},
			{"bounced", "550 5.7.1 Refused"},
			{"bounced", "452 4.2.2 Mailbox full"},
			{"bounced", "550 Refused"},
			{"bounced", "421 Try later"},
			{"bounced", ""},
			{"dropped", ""},
			{"undeliverable", ""},
		},
	})
}

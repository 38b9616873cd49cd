package postal_test

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

// TestThePageHasTheBounces holds the page for readers against what Decode makes of a refusal.
func TestThePageHasTheBounces(t *testing.T) {
	t.Parallel()
	providertest.CheckBounces(t, suite(t), &providertest.Bounces{
		Page: "postal", Name: "bounces", Sample: "MessageDeliveryFailed",
		At: []jsontext.Pointer{"/payload/output"},
		Rows: []providertest.Row{
			{"550 5.1.1 No such user"}, {"550 5.7.1 Refused"}, {"452 4.2.2 Mailbox full"}, {"550 Refused"}, {"421 Try later"}, {""},
		},
	})
}

package azurecommunicationservices_test

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

// TestThePageHasTheBounces holds the page for readers against what Decode makes of a refusal.
func TestThePageHasTheBounces(t *testing.T) {
	t.Parallel()
	providertest.CheckBounces(t, suite(), &providertest.Bounces{
		Page: "azure-communication-services", Name: "bounces", Sample: "bounced",
		At: []jsontext.Pointer{"/0/data/status", "/0/data/deliveryStatusDetails/statusMessage"},
		Rows: []providertest.Row{
			{"Bounced", "550 5.1.1 No such user"},
			{"Bounced", "550 5.7.1 Refused"},
			{"Bounced", "452 4.2.2 Mailbox full"},
			{"Bounced", "550 Refused"},
			{"Bounced", "421 Try later"},
			{"Bounced", ""},
			{"Failed", "550 5.1.1 No such user"},
			{"Failed", "550 5.7.1 Refused"},
			{"Failed", "452 4.2.2 Mailbox full"},
			{"Failed", "550 Refused"},
			{"Failed", "421 Try later"},
			{"Failed", ""},
			{providertest.Other, "550 5.1.1 No such user"},
			{providertest.Other, "550 5.7.1 Refused"},
			{providertest.Other, "452 4.2.2 Mailbox full"},
			{providertest.Other, "550 Refused"},
			{providertest.Other, "421 Try later"},
			{providertest.Other, ""},
			{"Suppressed", ""},
			{"Quarantined", ""},
			{"FilteredSpam", ""},
			{"Delivered", ""},
			{"Expanded", ""},
		},
	})
}

package brevo_test

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

// TestThePageHasTheBounces holds the page for readers against what Decode makes of a refusal.
func TestThePageHasTheBounces(t *testing.T) {
	t.Parallel()
	providertest.CheckBounces(t, suite(), &providertest.Bounces{
		Page: "brevo", Name: "bounces", Sample: "blocked",
		At: []jsontext.Pointer{"/event", "/reason"},
		Rows: []providertest.Row{
			{"hard_bounce", "550 5.1.1 No such user"},
			{"hard_bounce", "550 5.7.1 Refused"},
			{"hard_bounce", "452 4.2.2 Mailbox full"},
			{"hard_bounce", "550 Refused"},
			{"hard_bounce", "421 Try later"},
			{"hard_bounce", ""},
			{"soft_bounce", "550 5.1.1 No such user"},
			{"soft_bounce", "550 5.7.1 Refused"},
			{"soft_bounce", "452 4.2.2 Mailbox full"},
			{"soft_bounce", "550 Refused"},
			{"soft_bounce", "421 Try later"},
			{"soft_bounce", ""},
			{"blocked", "due to unsubscribed user"},
			{"blocked", "due to a spam report"},
			{"blocked", "complained before"},
			{"blocked", "hard bounce before"},
			{"blocked", "blacklisted"},
			{"blocked", providertest.Other},
			{"invalid_email", ""},
			{"invalid", ""},
		},
		Functions: []string{"blockReason"},
	})
}

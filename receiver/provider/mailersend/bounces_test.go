package mailersend_test

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

// TestThePageHasTheBounces holds the page for readers against what Decode makes of a refusal.
func TestThePageHasTheBounces(t *testing.T) {
	t.Parallel()
	providertest.CheckBounces(t, suite(), &providertest.Bounces{
		Page: "mailersend", Name: "bounces", Sample: "hard-bounced",
		At: []jsontext.Pointer{"/type", "/data/morph/reason"},
		Rows: []providertest.Row{
			{"activity.hard_bounced", "550 5.1.1 No such user"},
			{"activity.hard_bounced", "550 5.7.1 Refused"},
			{"activity.hard_bounced", "452 4.2.2 Mailbox full"},
			{"activity.hard_bounced", "550 Refused"},
			{"activity.hard_bounced", "421 Try later"},
			{"activity.hard_bounced", ""},
			{"activity.soft_bounced", "550 5.1.1 No such user"},
			{"activity.soft_bounced", "550 5.7.1 Refused"},
			{"activity.soft_bounced", "452 4.2.2 Mailbox full"},
			{"activity.soft_bounced", "550 Refused"},
			{"activity.soft_bounced", "421 Try later"},
			{"activity.soft_bounced", ""},
			{"activity.suppressed", "unsubscribed before"},
			{"activity.suppressed", "hard bounce before"},
			{"activity.suppressed", "spam complaint"},
			{"activity.suppressed", "complained before"},
			{"activity.suppressed", providertest.Other},
		},
		Functions: []string{"suppression"},
	})
}

package mandrill_test

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

// TestThePageHasTheBounces holds the page for readers against what Decode makes of a refusal.
func TestThePageHasTheBounces(t *testing.T) {
	t.Parallel()
	providertest.CheckBounces(t, suite(), &providertest.Bounces{
		Page: "mandrill", Name: "bounces", Sample: "hard_bounce",
		At: []jsontext.Pointer{"/0/event", "/0/msg/bounce_description", "/0/msg/diag"},
		Rows: []providertest.Row{
			{"hard_bounce", "bad_mailbox", ""},
			{"hard_bounce", "invalid_domain", ""},
			{"hard_bounce", "mailbox_full", ""},
			{"hard_bounce", "spam", ""},
			{"hard_bounce", "relaying_denied", ""},
			{"hard_bounce", "no_answer", ""},
			{"hard_bounce", "dns_failure", ""},
			{"hard_bounce", providertest.Other, "550 5.1.1 No such user"},
			{"hard_bounce", providertest.Other, "550 5.7.1 Refused"},
			{"hard_bounce", providertest.Other, "452 4.2.2 Mailbox full"},
			{"hard_bounce", providertest.Other, "550 Refused"},
			{"hard_bounce", providertest.Other, "421 Try later"},
			{"hard_bounce", providertest.Other, ""},
			{"soft_bounce", providertest.Other, "550 5.1.1 No such user"},
			{"soft_bounce", providertest.Other, "550 5.7.1 Refused"},
			{"soft_bounce", providertest.Other, "452 4.2.2 Mailbox full"},
			{"soft_bounce", providertest.Other, "550 Refused"},
			{"soft_bounce", providertest.Other, "421 Try later"},
			{"soft_bounce", providertest.Other, ""},
		},
		Functions: []string{"category"},
	})
}

// TestThePageHasTheRejections holds the page for readers against what Decode makes of a refusal.
func TestThePageHasTheRejections(t *testing.T) {
	t.Parallel()
	providertest.CheckBounces(t, suite(), &providertest.Bounces{
		Page: "mandrill", Name: "rejections", Sample: "reject",
		At: []jsontext.Pointer{"/0/msg/reject/reason"},
		Rows: []providertest.Row{
			{"hard-bounce"}, {"soft-bounce"}, {"spam"}, {"unsub"}, {"invalid"}, {"invalid-sender"}, {"rule"}, {"custom"}, {providertest.Other},
		},
		Functions: []string{"rejectReason"},
	})
}

package unisendergo_test

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

// TestThePageHasTheBounces holds the page for readers against what Decode makes of a refusal.
func TestThePageHasTheBounces(t *testing.T) {
	t.Parallel()
	providertest.CheckBounces(t, suite(), &providertest.Bounces{
		Page: "unisender-go", Name: "bounces", Sample: "hard-bounced",
		At: []jsontext.Pointer{"/events_by_user/0/events/0/event_data/status", "/events_by_user/0/events/0/event_data/delivery_info/delivery_status", "/events_by_user/0/events/0/event_data/delivery_info/destination_response"},
		Rows: []providertest.Row{
			{"hard_bounced", "err_user_unknown", ""},
			{"hard_bounced", "err_user_inactive", ""},
			{"hard_bounced", "err_mailbox_full", ""},
			{"hard_bounced", "err_spam_rejected", ""},
			{"hard_bounced", "err_spam_skipped", ""},
			{"hard_bounced", "err_blacklisted", ""},
			{"hard_bounced", "err_too_large", ""},
			{"hard_bounced", "err_unreachable", ""},
			{"hard_bounced", "err_domain_inactive", ""},
			{"hard_bounced", "err_destination_misconfigured", ""},
			{"hard_bounced", "err_will_retry", ""},
			{"hard_bounced", "err_unsubscribed", ""},
			{"hard_bounced", providertest.Other, "550 5.1.1 No such user"},
			{"hard_bounced", providertest.Other, "550 5.7.1 Refused"},
			{"hard_bounced", providertest.Other, "452 4.2.2 Mailbox full"},
			{"hard_bounced", providertest.Other, "550 Refused"},
			{"hard_bounced", providertest.Other, "421 Try later"},
			{"hard_bounced", providertest.Other, ""},
			{"soft_bounced", providertest.Other, "550 5.1.1 No such user"},
			{"soft_bounced", providertest.Other, "550 5.7.1 Refused"},
			{"soft_bounced", providertest.Other, "452 4.2.2 Mailbox full"},
			{"soft_bounced", providertest.Other, "550 Refused"},
			{"soft_bounced", providertest.Other, "421 Try later"},
			{"soft_bounced", providertest.Other, ""},
			{"spam", "err_spam_rejected", ""},
		},
		Functions: []string{"categories"},
	})
}

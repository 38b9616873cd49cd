package emailengine_test

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

// TestThePageHasTheBounces holds the page for readers against what Decode makes of a refusal.
func TestThePageHasTheBounces(t *testing.T) {
	t.Parallel()
	providertest.CheckBounces(t, suite(), &providertest.Bounces{
		Page: "emailengine", Name: "bounces", Sample: "messageBounceSoft",
		At: []jsontext.Pointer{"/data/response/category", "/data/response/status", "/data/response/message", "/data/response/recommendedAction"},
		Rows: []providertest.Row{
			{"user_unknown", "", "", ""},
			{"invalid_address", "", "", ""},
			{"ip_blacklisted", "", "", ""},
			{"domain_blacklisted", "", "", ""},
			{"auth_failure", "", "", ""},
			{"relay_denied", "", "", ""},
			{"spam_blocked", "", "", ""},
			{"policy_blocked", "", "", ""},
			{"virus_detected", "", "", ""},
			{"geo_blocked", "", "", ""},
			{"mailbox_full", "", "", ""},
			{"greylisting", "", "", ""},
			{"rate_limited", "", "", ""},
			{"server_error", "", "", ""},
			{"mailbox_full", "5.2.2", "", ""},
			{providertest.Other, "5.1.1", "", ""},
			{providertest.Other, "5.7.1", "", ""},
			{providertest.Other, "5.0.0", "", ""},
			{providertest.Other, "4.0.0", "", ""},
			{"", "", "550 5.1.1 No such user", ""},
			{"", "", "550 5.7.1 Refused", ""},
			{"", "", "452 4.2.2 Mailbox full", ""},
			{"", "", "550 Refused", ""},
			{"", "", "421 Try later", ""},
			{"", "", "", ""},
			{"", "", "", "remove"},
		},
		Functions: []string{"bounceType"},
	})
}

package tencentses_test

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

// TestThePageHasTheBounces holds the page for readers against what Decode makes of a refusal.
func TestThePageHasTheBounces(t *testing.T) {
	t.Parallel()
	providertest.CheckBounces(t, suite(), &providertest.Bounces{
		Page: "tencent-ses", Name: "bounces", Sample: "bounce",
		At: []jsontext.Pointer{"/event", "/bounceType", "/reason"},
		Rows: []providertest.Row{
			{"bounce", "hard_bounce", ""},
			{"bounce", "hard", ""},
			{"bounce", "soft_bounce", ""},
			{"bounce", "soft", ""},
			{"bounce", providertest.Other, "550 5.1.1 No such user"},
			{"bounce", providertest.Other, "550 5.7.1 Refused"},
			{"bounce", providertest.Other, "452 4.2.2 Mailbox full"},
			{"bounce", providertest.Other, "550 Refused"},
			{"bounce", providertest.Other, "421 Try later"},
			{"bounce", providertest.Other, ""},
			{"dropped", "", "unsubscribed before"},
			{"dropped", "", "in the blacklist"},
			{"dropped", "", "in the blocklist"},
			{"dropped", "", providertest.Other},
		},
		Functions: []string{"bounceType", "rejectReason"},
	})
}

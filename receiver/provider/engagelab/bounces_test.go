package engagelab_test

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

// TestThePageHasTheBounces holds the page for readers against what Decode makes of a refusal.
func TestThePageHasTheBounces(t *testing.T) {
	t.Parallel()
	providertest.CheckBounces(t, suite(), &providertest.Bounces{
		Page: "engagelab", Name: "bounces", Sample: "invalid_email",
		At:    []jsontext.Pointer{"/status/message_status", "/status/error_detail/sub_stat"},
		Blank: []jsontext.Pointer{"/status/error_code"},
		Rows: []providertest.Row{
			{"invalid_email", "401"},
			{"invalid_email", "402"},
			{"invalid_email", "403"},
			{"invalid_email", "404"},
			{"invalid_email", "405"},
			{"invalid_email", "406"},
			{"invalid_email", "407"},
			{"invalid_email", "408"},
			{"invalid_email", providertest.Other},
			{"soft_bounce", "503"},
			{"soft_bounce", "505"},
			{"soft_bounce", "506"},
			{"soft_bounce", "507"},
			{"soft_bounce", "508"},
			{"soft_bounce", providertest.Other},
		},
		Functions: []string{"rejectReason", "category"},
	})
}

package mailgun_test

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

// TestThePageHasTheBounces holds the page for readers against what Decode makes of a refusal.
func TestThePageHasTheBounces(t *testing.T) {
	t.Parallel()
	providertest.CheckBounces(t, suite(), &providertest.Bounces{
		Page: "mailgun", Name: "bounces", Sample: "failed-permanent",
		At:    []jsontext.Pointer{"/event-data/reason", "/event-data/delivery-status/code", "/event-data/delivery-status/bounce-type", "/event-data/delivery-status/enhanced-code"},
		Blank: []jsontext.Pointer{"/event-data/delivery-status/message"},
		Rows: []providertest.Row{
			{"suppress-bounce", "", "", ""},
			{"suppress-complaint", "", "", ""},
			{"suppress-unsubscribe", "", "", ""},
			{providertest.Other, "605", "", ""},
			{providertest.Other, "607", "", ""},
			{providertest.Other, "606", "", ""},
			{"old", "", "", ""},
			{"espblock", "", "", ""},
			{"blacklisted", "", "", ""},
			{"greylisted", "", "", ""},
			{providertest.Other, "550", "hard", "5.7.1"},
			{providertest.Other, "550", "soft", "5.1.1"},
			{providertest.Other, "550", "", "5.1.1"},
			{providertest.Other, "550", "", "5.7.1"},
			{providertest.Other, "452", "", "4.2.2"},
			{providertest.Other, "550", "", ""},
			{providertest.Other, "421", "", ""},
			{providertest.Other, "", "", ""},
		},
		Functions: []string{"suppressed", "kind", "category"},
	})
}

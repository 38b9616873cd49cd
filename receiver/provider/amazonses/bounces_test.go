package amazonses_test

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

// TestThePageHasTheBounces holds the page for readers against what Decode makes of a refusal.
func TestThePageHasTheBounces(t *testing.T) {
	t.Parallel()
	providertest.CheckBounces(t, suite(t), &providertest.Bounces{
		Page: "amazon-ses", Name: "bounces", Sample: "bounce",
		At: []jsontext.Pointer{"/bounce/bounceType", "/bounce/bounceSubType"},
		Rows: []providertest.Row{
			{"Permanent", ""},
			{"Permanent", "General"},
			{"Permanent", "NoEmail"},
			{"Permanent", "Suppressed"},
			{"Permanent", "OnAccountSuppressionList"},
			{"Transient", "General"},
			{"Transient", "MailboxFull"},
			{"Transient", "MessageTooLarge"},
			{"Transient", "ContentRejected"},
			{"Transient", "AttachmentRejected"},
			{"Undetermined", "Undetermined"},
			{providertest.Other, providertest.Other},
		},
		Functions: []string{"bounceType", "category"},
	})
}

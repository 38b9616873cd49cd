package nylas_test

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

// TestThePageHasTheBounces holds the page for readers against what Decode makes of a refusal.
func TestThePageHasTheBounces(t *testing.T) {
	t.Parallel()
	providertest.CheckBounces(t, suite(), &providertest.Bounces{
		Page: "nylas", Name: "bounces", Sample: "message.bounce_detected",
		At: []jsontext.Pointer{"/data/object/type", "/data/object/code", "/data/object/bounce_reason"},
		Rows: []providertest.Row{
			{"MailboxFull", "", ""},
			{"mailbox_full", "", ""},
			{"NoEmail", "", ""},
			{"domain_not_found", "", ""},
			{"domain_not_exist", "", ""},
			{"MessageTooLarge", "", ""},
			{"ContentRejected", "", ""},
			{"AttachmentRejected", "", ""},
			{"Suppressed", "", ""},
			{"OnAccountSuppressionList", "", ""},
			{providertest.Other, "550", ""},
			{providertest.Other, "450", ""},
			{providertest.Other, "5.1.1", ""},
			{providertest.Other, "", "550 5.1.1 No such user"},
			{providertest.Other, "", "550 5.7.1 Refused"},
			{providertest.Other, "", "452 4.2.2 Mailbox full"},
			{providertest.Other, "", "550 Refused"},
			{providertest.Other, "", "421 Try later"},
			{providertest.Other, "", ""},
			{"mailbox_unavailable", "", ""},
		},
		Functions: []string{"refusals", "refused"},
	})
}

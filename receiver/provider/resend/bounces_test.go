package resend_test

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

// TestThePageHasTheBounces holds the page for readers against what Decode makes of a refusal.
func TestThePageHasTheBounces(t *testing.T) {
	t.Parallel()
	providertest.CheckBounces(t, suite(), &providertest.Bounces{
		Page: "resend", Name: "bounces", Sample: "email.bounced",
		At: []jsontext.Pointer{"/data/bounce/type", "/data/bounce/subType", "/data/bounce/message"},
		Rows: []providertest.Row{
			{"Permanent", "", ""},
			{"Permanent", "General", ""},
			{"Permanent", "NoEmail", ""},
			{"Permanent", "Suppressed", ""},
			{"Permanent", "OnAccountSuppressionList", ""},
			{"Permanent", "OnTenantSuppressionList", ""},
			{"Permanent", "UnsubscribedRecipient", ""},
			{"Transient", "General", ""},
			{"Transient", "MailboxFull", ""},
			{"Transient", "MessageTooLarge", ""},
			{"Transient", "ContentRejected", ""},
			{"Transient", "AttachmentRejected", ""},
			{"Undetermined", "Undetermined", ""},
			{"", "", "Resend has suppressed sending to this address"},
			{"", "", "The provider sent a hard bounce message"},
			{"", "", providertest.Other},
		},
		Functions: []string{"category"},
	})
}

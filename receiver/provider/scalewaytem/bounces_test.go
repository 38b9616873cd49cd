package scalewaytem_test

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

// TestThePageHasTheBounces holds the page for readers against what Decode makes of a refusal.
func TestThePageHasTheBounces(t *testing.T) {
	t.Parallel()
	providertest.CheckBounces(t, suite(t), &providertest.Bounces{
		Page: "scaleway-tem", Name: "bounces", Sample: "email-dropped",
		At:    []jsontext.Pointer{"/type", "/email_response_message"},
		Blank: []jsontext.Pointer{"/email_response_code"},
		Rows: []providertest.Row{
			{"email_dropped", "550 5.1.1 No such user"},
			{"email_dropped", "550 5.7.1 Refused"},
			{"email_dropped", "452 4.2.2 Mailbox full"},
			{"email_dropped", "550 Refused"},
			{"email_dropped", "421 Try later"},
			{"email_dropped", ""},
			{"email_mailbox_not_found", ""},
			{"email_spam", ""},
			{"email_blocklisted", ""},
		},
	})
}

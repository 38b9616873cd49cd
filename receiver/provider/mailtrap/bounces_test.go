package mailtrap_test

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

// TestThePageHasTheBounces holds the page for readers against what Decode makes of a refusal.
func TestThePageHasTheBounces(t *testing.T) {
	t.Parallel()
	providertest.CheckBounces(t, suite(), &providertest.Bounces{
		Page: "mailtrap", Name: "bounces", Sample: "bounce",
		At:    []jsontext.Pointer{"/events/0/bounce_category", "/events/0/response"},
		Blank: []jsontext.Pointer{"/events/0/response_code"},
		Rows: []providertest.Row{
			{"spam", ""},
			{"policy", ""},
			{"reputation", ""},
			{"content", ""},
			{"badmailbox", "550 5.1.1 No such user"},
			{"badmailbox", "550 5.7.1 Refused"},
			{"badmailbox", "452 4.2.2 Mailbox full"},
			{"badmailbox", "550 Refused"},
			{"badmailbox", "421 Try later"},
			{"badmailbox", ""},
			{"", "550 5.1.1 No such user"},
			{"", "550 5.7.1 Refused"},
			{"", "452 4.2.2 Mailbox full"},
			{"", "550 Refused"},
			{"", "421 Try later"},
			{"", ""},
		},
	})
}

package smtp2go_test

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

// TestThePageHasTheBounces holds the page for readers against what Decode makes of a refusal.
func TestThePageHasTheBounces(t *testing.T) {
	t.Parallel()
	providertest.CheckBounces(t, suite(), &providertest.Bounces{
		Page: "smtp2go", Name: "bounces", Sample: "bounce-hard",
		At: []jsontext.Pointer{"/event", "/bounce", "/message"},
		Rows: []providertest.Row{
			{"bounce", "hard", "550 5.1.1 No such user"},
			{"bounce", "hard", "550 5.7.1 Refused"},
			{"bounce", "hard", "452 4.2.2 Mailbox full"},
			{"bounce", "hard", "550 Refused"},
			{"bounce", "hard", "421 Try later"},
			{"bounce", "hard", ""},
			{"bounce", "soft", "550 5.1.1 No such user"},
			{"bounce", "soft", "550 5.7.1 Refused"},
			{"bounce", "soft", "452 4.2.2 Mailbox full"},
			{"bounce", "soft", "550 Refused"},
			{"bounce", "soft", "421 Try later"},
			{"bounce", "soft", ""},
			{"bounce", "", "550 5.1.1 No such user"},
			{"bounce", "", "550 5.7.1 Refused"},
			{"bounce", "", "452 4.2.2 Mailbox full"},
			{"bounce", "", "550 Refused"},
			{"bounce", "", "421 Try later"},
			{"bounce", "", ""},
			{"reject", "", "unsubscribed before"},
			{"reject", "", "spam report"},
			{"reject", "", "complained before"},
			{"reject", "", "hard bounce before"},
			{"reject", "", "on the suppression list"},
			{"reject", "", "sender is not verified"},
			{"reject", "", providertest.Other},
		},
		Functions: []string{"rejection"},
	})
}

package sendgrid_test

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

// TestThePageHasTheBounces holds the page for readers against what Decode makes of a refusal.
func TestThePageHasTheBounces(t *testing.T) {
	t.Parallel()
	providertest.CheckBounces(t, suite(), &providertest.Bounces{
		Page: "sendgrid", Name: "bounces", Sample: "bounce",
		At:    []jsontext.Pointer{"/0/type", "/0/bounce_classification", "/0/reason"},
		Blank: []jsontext.Pointer{"/0/status"},
		Rows: []providertest.Row{
			{"bounce", "Invalid Address", ""},
			{"bounce", "Technical", ""},
			{"bounce", "Technical Failure", ""},
			{"bounce", "Content", ""},
			{"bounce", "Reputation", ""},
			{"bounce", "Frequency/Volume", ""},
			{"bounce", "Frequency/Volume Too High", ""},
			{"bounce", "Frequency or Volume Too High", ""},
			{"bounce", "Mailbox Unavailable", ""},
			{"bounce", "Unclassified", ""},
			{"bounce", "", "550 5.1.1 No such user"},
			{"bounce", "", "550 5.7.1 Refused"},
			{"bounce", "", "452 4.2.2 Mailbox full"},
			{"bounce", "", "550 Refused"},
			{"bounce", "", "421 Try later"},
			{"bounce", "", ""},
			{"blocked", "", "550 5.1.1 No such user"},
			{"blocked", "", "550 5.7.1 Refused"},
			{"blocked", "", "452 4.2.2 Mailbox full"},
			{"blocked", "", "550 Refused"},
			{"blocked", "", "421 Try later"},
			{"blocked", "", ""},
			{providertest.Other, "", ""},
			{"", "", "550 5.1.1 No such user"},
			{"", "", "550 5.7.1 Refused"},
			{"", "", "452 4.2.2 Mailbox full"},
			{"", "", "550 Refused"},
			{"", "", "421 Try later"},
			{"", "", ""},
		},
		Functions: []string{"bounceType", "category"},
	})
}

// TestThePageHasTheRejections holds the page for readers against what Decode makes of a refusal.
func TestThePageHasTheRejections(t *testing.T) {
	t.Parallel()
	providertest.CheckBounces(t, suite(), &providertest.Bounces{
		Page: "sendgrid", Name: "rejections", Sample: "dropped-bounced",
		At: []jsontext.Pointer{"/0/reason"},
		Rows: []providertest.Row{
			{"Bounced Address"},
			{"Unsubscribed Address"},
			{"Spam Reporting Address"},
			{"Invalid"},
			{"Invalid Address"},
			{"Spam Content"},
			{"Recipient List over Package Quota"},
			{providertest.Other},
		},
		Functions: []string{"rejectReason"},
	})
}

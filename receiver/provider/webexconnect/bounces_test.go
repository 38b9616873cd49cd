package webexconnect_test

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

// TestThePageHasTheBounces holds the page for readers against what Decode makes of a refusal.
func TestThePageHasTheBounces(t *testing.T) {
	t.Parallel()
	providertest.CheckBounces(t, suite(), &providertest.Bounces{
		Page: "webex-connect", Name: "bounces", Sample: "bounceHard",
		At: []jsontext.Pointer{"/deliveryInfoNotification/deliveryInfo/deliveryStatus", "/deliveryInfoNotification/deliveryInfo/code", "/deliveryInfoNotification/deliveryInfo/Description", "/deliveryInfoNotification/deliveryInfo/additionalInfo"},
		Rows: []providertest.Row{
			{"Bounce", "7520", "Permanent_General", ""},
			{"Bounce", "7520", "Permanent_NoEmail", ""},
			{"Bounce", "7520", "Permanent_Suppressed", ""},
			{"Bounce", "7520", "Transient_General", ""},
			{"Bounce", "7520", "Transient_MailboxFull", ""},
			{"Bounce", "7520", "Transient_MessageTooLarge", ""},
			{"Bounce", "7520", "Transient_ContentRejected", ""},
			{"Bounce", "7520", "Transient_AttachmentRejected", ""},
			{"Bounce", "7520", "Undetermined", ""},
			{"Bounce", "7520", providertest.Other, "550 5.1.1 No such user"},
			{"Bounce", "7520", providertest.Other, "550 5.7.1 Refused"},
			{"Bounce", "7520", providertest.Other, "452 4.2.2 Mailbox full"},
			{"Bounce", "7520", providertest.Other, "550 Refused"},
			{"Bounce", "7520", providertest.Other, "421 Try later"},
			{"Bounce", "7520", providertest.Other, ""},
			{"Failed", "7523", "", ""},
			{"Failed", "7524", "", ""},
			{"Failed", "7240", "", ""},
			{"Failed", "7241", "", ""},
			{"Failed", "9002", "", ""},
			{"Not Verified", "7522", "", ""},
		},
		Functions: []string{"bounceOf", "categoryOf"},
	})
}

package alibabadirectmail_test

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

// TestThePageHasTheBounces holds the page for readers against what Decode makes of a refusal.
func TestThePageHasTheBounces(t *testing.T) {
	t.Parallel()
	providertest.CheckBounces(t, suite(), &providertest.Bounces{
		Page: "alibaba-directmail", Name: "bounces", Sample: "fail",
		At:    []jsontext.Pointer{"/data/failed_type", "/data/status", "/data/err_msg"},
		Blank: []jsontext.Pointer{"/data/err_code"},
		Rows: []providertest.Row{
			{"SysOutRcptOnAccountLevelBounceList", "", ""},
			{"SysOutRecipientReportedSpam", "", ""},
			{"SysOutRecipientUnsubscribed", "", ""},
			{"SmtpNxBox", "", ""},
			{providertest.Other, "2", ""},
			{providertest.Other, "3", ""},
			{providertest.Other, providertest.Other, "550 5.1.1 No such user"},
			{providertest.Other, providertest.Other, "550 5.7.1 Refused"},
			{providertest.Other, providertest.Other, "452 4.2.2 Mailbox full"},
			{providertest.Other, providertest.Other, "550 Refused"},
			{providertest.Other, providertest.Other, "421 Try later"},
			{providertest.Other, providertest.Other, ""},
		},
		Functions: []string{"suppression", "bounce"},
	})
}

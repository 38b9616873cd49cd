package mailchannels_test

import (
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

// TestThePageHasTheBounces holds the page for readers against what Decode makes of a refusal.
func TestThePageHasTheBounces(t *testing.T) {
	t.Parallel()
	providertest.CheckBounces(t, suite(t), &providertest.Bounces{
		Page: "mailchannels", Name: "bounces", Sample: "hard-bounced",
		At: []jsontext.Pointer{"/0/event"},
		Rows: []providertest.Row{
			{"hard-bounced"}, {"bounced"}, {"soft-bounced"}, {"dropped"},
		},
	})
}

package azurecommunicationservices_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/mailvane/mailvane/receiver/provider/azurecommunicationservices"
	"github.com/mailvane/mailvane/receiver/provider/providertest"
)

func suite() providertest.Suite {
	return providertest.Suite{
		Retyped: map[string]string{
			"status":        "a failure: any status but Delivered is one",
			"statusMessage": "a failure without a word of a server",
		},
		Kind:          azurecommunicationservices.Kind(),
		OtherSettings: `{}`, RotationSettings: `{}`,
		Unsigned: true,
		// What identifies an event by CloudEvents, under the names of both schemas, at the top of an item.
		Identifies: func(at jsontext.Pointer) bool {
			item := strings.TrimLeft(string(at.Parent()), "/0123456789")
			return item == "" && slices.Contains([]string{"id", "topic", "source", "eventType", "type"}, at.LastToken())
		},
		Unsampled: map[string]string{
			"deliveryAttemptTimestamp": "SDKs take this spelling as well", "userActionTimestamp": "SDKs take this spelling as well",
		},
	}
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	providertest.Run(t, suite())
}

func FuzzWebhook(f *testing.F) { providertest.Fuzz(f, suite()) }

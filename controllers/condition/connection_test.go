package condition_test

import (
	"testing"

	"github.com/mailvane/mailvane/controllers/condition"
	"github.com/mailvane/mailvane/receiver/config"
)

// TestConnectionsSayWhatToDo reads what people read.
func TestConnectionsSayWhatToDo(t *testing.T) {
	t.Parallel()
	const want = "The destination refuses the credentials of the sink, or does not let it deliver; check the Secrets that it names and its rights there. " +
		"It says: SASL authentication failed. What is owed to it waits; mailvane sinks tells the last error."
	if got := condition.Connected(&config.Connection{Cause: config.CredentialRefused, Message: "SASL authentication failed"}); got.Message != want || got.Unknown {
		t.Errorf("%+v", got)
	}
	seen := map[string]bool{}
	for _, cause := range []string{config.CredentialRefused, config.DestinationNotFound, config.DestinationUnreachable, config.DeliveryFailing, "of a later release"} {
		got := condition.Connected(&config.Connection{Cause: cause})
		if got.Reason != cause || got.OK() || got.Unknown || seen[got.Message] && cause != "of a later release" {
			t.Errorf("%s: %+v", cause, got)
		}
		seen[got.Message] = true
	}
	if !condition.Connected(&config.Connection{}).OK() || !condition.Connected(nil).Unknown {
		t.Error("what did not happen is told")
	}
}

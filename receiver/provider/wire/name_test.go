package wire_test

import (
	"testing"

	"github.com/mailvane/mailvane/receiver/provider/wire"
)

func TestEventNames(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"delivered": "delivered", "Delivered": "delivered", "SOFT_BOUNCE": "soft_bounce", "hard-bounced": "hard_bounced",
		" Not Verified ": "not_verified", "": "", "É-X": "É_x",
	} {
		if got := wire.EventName(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
	table := map[string]int{"messageBounce": 1, "message-sent": 2}
	for name, want := range map[string]int{"messageBounce": 1, "messagebounce": 1, "MESSAGE_SENT": 2, "message": 0, "": 0} {
		if got, ok := wire.Known(table, name); got != want || ok != (want != 0) {
			t.Errorf("%q is %d, %v, want %d", name, got, ok, want)
		}
	}
}

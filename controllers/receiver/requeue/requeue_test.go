package requeue_test

import (
	"testing"
	"time"

	"github.com/mailvane/mailvane/controllers/receiver/requeue"
)

func TestSooner(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason     string
		a, b, want time.Duration
	}{
		"neither":     {"a change is all that is waited for", 0, 0, 0},
		"the first":   {"0 is not sooner than anything", time.Second, 0, time.Second},
		"the second":  {"nor before anything", 0, time.Second, time.Second},
		"both":        {"the earlier one serves both", time.Minute, time.Second, time.Second},
		"both, other": {"in whatever order", time.Second, time.Minute, time.Second},
	} {
		if got := requeue.Sooner(tc.a, tc.b); got != tc.want {
			t.Errorf("%s: got %v, want %v: %s", name, got, tc.want, tc.reason)
		}
	}
}

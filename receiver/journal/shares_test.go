package journal_test

import (
	"strings"
	"testing"

	"github.com/mailvane/mailvane/receiver/journal"
)

// TestShares adds to a journal of 6,400 bytes, whose last eighth begins at 5,600 and is shared out in parts of 200.
func TestShares(t *testing.T) {
	t.Parallel()
	var s journal.Shares
	for i, step := range []struct {
		reason   string
		add      journal.Appending
		used     int64
		admitted bool
	}{
		{"nothing is in use", journal.Appending{Endpoint: "strange", Unverified: true, Size: 5000}, 0, true},
		{"an eighth is in use", journal.Appending{Endpoint: "strange", Unverified: true, Size: 1}, 801, false},
		{"what is verified has more", journal.Appending{Endpoint: "a", Size: 4700}, 801, true},
		{"up to the last part", journal.Appending{Endpoint: "a", Size: 99}, 5501, true},
		{"in the last part", journal.Appending{Endpoint: "a", Size: 150}, 5600, true},
		{"its share is used up", journal.Appending{Endpoint: "a", Size: 51}, 5750, false},
		{"what fits still passes", journal.Appending{Endpoint: "a", Size: 50}, 5750, true},
		{"another has its own", journal.Appending{Endpoint: "b", Size: 200}, 5800, true},
		{"what is larger than a share passes once", journal.Appending{Endpoint: "c", Size: 300}, 6000, true},
		{"and not again", journal.Appending{Endpoint: "c", Size: 1}, 6300, false},
		{"what was accepted elsewhere has no share", journal.Appending{Size: 1000}, 6300, true},
		{"there was room meanwhile", journal.Appending{Endpoint: "b", Size: 1}, 100, true},
		{"all shares are new", journal.Appending{Endpoint: "a", Size: 200}, 5600, true},
	} {
		if err := s.Admit(step.add, step.used, 6400); (err == nil) != step.admitted {
			t.Errorf("step %d, %s: %v", i, step.reason, err)
		}
	}
	if _, problem := s.Admit(journal.Appending{Endpoint: "a", Size: 1}, 5700, 6400), s.Problem(5700, 6400); !strings.Contains(problem, "full for this endpoint, a:") {
		t.Errorf("problem %q", problem)
	}
	if problem := s.Problem(5600, 6400); problem != "" {
		t.Errorf("problem %q when there is room", problem)
	}
	if err := s.Admit(journal.Appending{Unverified: true, Size: 1 << 40}, 1<<40, 0); err != nil {
		t.Errorf("without a limit: %v", err)
	}
}

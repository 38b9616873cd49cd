package embedded_test

import (
	"testing"

	"github.com/mailvane/mailvane/receiver/history"
)

// TestNothingOfWhatIsErasedStays looks into the index after an erasure: a hash of an address is enough to ask whether somebody was there.
func TestNothingOfWhatIsErasedStays(t *testing.T) {
	t.Parallel()
	s := open(t, inMemory())
	fill(t, s, 0, 200, nil)
	indexed := func(recipient string) bool {
		t.Helper()
		found, err := s.Indexed(recipient)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	if !indexed("r7@example.com") {
		t.Fatal("the index does not hold what it is asked for")
	}
	if n, err := s.Erase(t.Context(), history.Erasure{Recipient: "R7@Example.com", CountAlone: true}); n != 1 || err != nil || !indexed("r7@example.com") {
		t.Errorf("%d events are counted (%v), or counting erases", n, err)
	}
	if n, err := s.Erase(t.Context(), history.Erasure{Recipient: "R7@Example.com", By: "privacy"}); n != 1 || err != nil {
		t.Errorf("%d events are erased (%v)", n, err)
	}
	if indexed("r7@example.com") {
		t.Error("the index still holds the hash of the address")
	}
	for _, recipient := range []string{"r6@example.com", "r8@example.com"} {
		if !indexed(recipient) || count(t, s, history.Query{Recipient: recipient}) != 1 {
			t.Errorf("%s is gone, too", recipient)
		}
	}
}

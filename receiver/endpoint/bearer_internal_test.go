package endpoint

import (
	"strconv"
	"testing"
)

// TestBearersAreCountedInBoundedMemory has one signature come again and again, among more others than are remembered.
func TestBearersAreCountedInBoundedMemory(t *testing.T) {
	t.Parallel()
	var b bearers
	others := 0
	for n := range maxPerBearer {
		if b.add("seen") {
			t.Fatalf("body %d is too many", n)
		}
		for range maxBearers / 2 {
			others++
			if b.add(strconv.Itoa(others)) {
				t.Fatal("a signature that came once")
			}
		}
	}
	for range 2 {
		if !b.add("seen") {
			t.Error("it is not noticed that one signature came with many bodies")
		}
	}
	if len(b.newer) > maxBearers || len(b.older) > maxBearers {
		t.Errorf("%d and %d are remembered", len(b.newer), len(b.older))
	}
}

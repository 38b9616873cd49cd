package embedded_test

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain checks that closed journals, failed and repaired ones too, leave nothing running.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

package app

import (
	"log/slog"
	"math"
	"os"
	"runtime/debug"
	"testing"

	"github.com/KimMachineGun/automemlimit/memlimit"

	"github.com/mailvane/mailvane/receiver/intake"
)

// TestMemoryFollowsTheLimit of the process, which all tests of this package share, so it is not parallel.
func TestMemoryFollowsTheLimit(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	t.Cleanup(func() { debug.SetMemoryLimit(before) })
	for name, c := range map[string]struct {
		limit       memlimit.Provider
		environment string
		goLimit     int64
		inFlight    int64
		connections int
	}{
		"a pod's default":         {memlimit.Limit(1 << 30), "", 966367641, 64 << 20, 3686},
		"a small pod":             {memlimit.Limit(128 << 20), "", 120795955, 15099494, 460},
		"a large pod":             {memlimit.Limit(8 << 30), "", 7730941132, 64 << 20, 4096},
		"no limit":                {func() (uint64, error) { return 0, memlimit.ErrNoLimit }, "", math.MaxInt64, 64 << 20, 4096},
		"a system without limits": {func() (uint64, error) { return 0, memlimit.ErrCgroupsNotSupported }, "", 1 << 40, 64 << 20, 4096},
		"the user's own":          {memlimit.Limit(1 << 30), "1TiB", 1 << 40, 64 << 20, 4096},
	} {
		debug.SetMemoryLimit(1 << 40)
		t.Setenv("GOMEMLIMIT", c.environment) // Go itself reads it at the start only
		if c.environment == "" {
			_ = os.Unsetenv("GOMEMLIMIT")
		}
		limitMemory(slog.New(slog.DiscardHandler), c.limit)
		if got := memoryLimit(); got != c.goLimit {
			t.Errorf("%s: Go may take %d", name, got)
		}
		if got := inFlightBytes(intake.DefaultInFlightBytes); got != c.inFlight {
			t.Errorf("%s: %d bytes in flight", name, got)
		}
		if got := inFlightBytes(5); got != 5 {
			t.Errorf("%s: %d bytes in flight were asked for as 5", name, got)
		}
		if got := webhookConnections(); got != c.connections {
			t.Errorf("%s: %d connections", name, got)
		}
	}
}

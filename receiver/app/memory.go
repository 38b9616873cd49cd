package app

import (
	"log/slog"
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"

	"github.com/mailvane/mailvane/receiver/intake"
)

const (
	// goShare is the part of the memory limit of the process's cgroup, which is that of its container, that Go may take before it
	// collects garbage whatever that costs. The rest is for what Go does not count, such as pages of mapped files.
	goShare = 0.9
	// maxConnections bounds the connections of those who send webhooks, each of which takes some 20 KiB.
	maxConnections  = 4096
	connectionBytes = 32 << 10
	// backConnections bounds those of probes, scrapes, people and other pods, of each port.
	backConnections = 256
	// memoryShare is the part of the process's memory that connections may take, and bodies in flight: 1/8.
	memoryShare = 8
)

// webhookConnections returns how many connections there may be within the memory of the process.
func webhookConnections() int {
	return int(min(maxConnections, memoryLimit()/memoryShare/connectionBytes))
}

// memoryLimit returns what the process may take of memory, in bytes: GOMEMLIMIT, or a number beyond all memory.
func memoryLimit() int64 { return debug.SetMemoryLimit(-1) }

// limitMemory makes Go collect its garbage before the process is killed for it, where its memory is limited. GOMEMLIMIT in the
// environment is stronger.
func limitMemory(log *slog.Logger, limit memlimit.Provider) {
	if _, err := memlimit.Set(memlimit.WithRatio(goShare), memlimit.WithProvider(limit)); err != nil {
		log.Debug("no memory limit is known", "error", err) // a system without cgroups
	}
}

// inFlightBytes returns the bound on the bytes of requests that are being handled: what was asked for, or of the default as much as
// the memory of the process allows.
func inFlightBytes(asked int64) int64 {
	if asked != intake.DefaultInFlightBytes {
		return asked
	}
	return min(asked, memoryLimit()/memoryShare)
}

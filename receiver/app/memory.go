package app

import "runtime/debug"

const (
	// maxConnections bounds the connections of those who send webhooks, each of which takes some 20 KiB.
	maxConnections  = 4096
	connectionBytes = 32 << 10
	// adminConnections bounds those of probes, scrapes, people and other pods, of each port.
	adminConnections = 256
	// memoryShare is the part of the process's memory that connections may take, and bodies in flight: 1/8.
	memoryShare = 8
)

// webhookConnections returns how many connections there may be within the memory of the process.
func webhookConnections() int {
	return int(min(maxConnections, memoryLimit()/memoryShare/connectionBytes))
}

// memoryLimit returns what the process may take of memory, in bytes: GOMEMLIMIT, or a number beyond all memory.
func memoryLimit() int64 { return debug.SetMemoryLimit(-1) }

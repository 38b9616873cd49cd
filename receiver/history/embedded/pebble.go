package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	tables "github.com/cockroachdb/pebble/v2/sstable/block"

	"github.com/mailvane/mailvane/receiver/journal/embedded/failstop"
)

const (
	// cacheBytes bounds the memory of table blocks; what looks up does so seldom, and reads little.
	cacheBytes = 4 << 20
	// memTableBytes bounds one memtable, of which there are two at most.
	memTableBytes = 4 << 20
	maxOpenFiles  = 200
	// bloomBitsPerKey gives one false positive in a hundred.
	bloomBitsPerKey = 10
	// pebbleFormat is the format of the tables. It is pinned: raising it is a decision, since it cannot be taken back.
	pebbleFormat = pebble.FormatTableFormatV6
)

// openPebble opens the tables.
func openPebble(o *Options, fs *failstop.FS) (*pebble.DB, error) {
	opts := &pebble.Options{
		FS:                          fs,
		FormatMajorVersion:          pebbleFormat,
		CacheSize:                   cacheBytes,
		MemTableSize:                memTableBytes,
		MemTableStopWritesThreshold: 2,
		MaxOpenFiles:                maxOpenFiles,
		LoggerAndTracer:             &storeLogger{log: o.Logger, fs: fs},
		EventListener:               &pebble.EventListener{BackgroundError: func(err error) { o.Logger.Error("history storage reported an error", "error", oneLine(err.Error())) }},
	}
	opts.Experimental.ReadSamplingMultiplier = -1 // what is read is not read again
	for i := range opts.Levels {
		opts.Levels[i].FilterPolicy = bloom.FilterPolicy(bloomBitsPerKey)
		opts.Levels[i].BlockSize = 16 << 10
		// Events are compressed already; what compresses well beside them is keys, which share their beginnings.
		opts.Levels[i].Compression = func() *tables.CompressionProfile { return tables.FastestCompression }
	}
	return pebble.Open(o.Dir, opts)
}

// storeLogger passes on what the store says that an operator should know. What the store takes to be fatal stops its file system and never
// the process.
type storeLogger struct {
	log *slog.Logger
	fs  *failstop.FS
}

// Infof drops the store's chatter.
func (l *storeLogger) Infof(string, ...any) {}

// Errorf logs a problem that the store lives with. After a stop it is only a consequence.
func (l *storeLogger) Errorf(format string, args ...any) {
	if !l.fs.Stopped() {
		l.log.Error("history storage reported an error", "error", oneLine(fmt.Sprintf(format, args...)))
	}
}

// Fatalf stops all further writes.
func (l *storeLogger) Fatalf(format string, args ...any) {
	_ = l.fs.Stop(errors.New(oneLine(fmt.Sprintf(format, args...)))) // it is the end of the store, and no error of this call
}

// Eventf drops traces.
func (l *storeLogger) Eventf(context.Context, string, ...any) {}

// IsTracingEnabled returns false.
func (l *storeLogger) IsTracingEnabled(context.Context) bool { return false }

func oneLine(text string) string { return strings.ReplaceAll(strings.TrimSpace(text), "\n", "; ") }

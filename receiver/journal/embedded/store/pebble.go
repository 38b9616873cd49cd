// Package store opens the Pebble store of the embedded journal, with the options that queues want, and reads it. What Pebble takes to be fatal
// stops the file system and not the process.
package store

import (
	"log/slog"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/sstable/block"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mailvane/mailvane/receiver/journal/embedded/failstop"
)

const (
	// cacheBytes bounds the memory of the memtables and, with what they leave, of the cache of table blocks. The indexes
	// and filters that dedupe keys are looked up in should fit; queues are read once and in order and need none.
	cacheBytes = 24 << 20
	// maxMemTableBytes bounds one memtable, and with it one write-ahead log.
	maxMemTableBytes = 8 << 20
	minMemTableBytes = 256 << 10
	// memTableShare is the part of MaxBytes that one memtable may take: a small journal must not be all log.
	memTableShare = 32
	// bloomBitsPerKey gives one false positive in a hundred when a dedupe key is looked up that was never seen.
	bloomBitsPerKey = 10
	// blockBytes is what is read, checked and decompressed at a time: queues are read in order, and keys are seldom looked up.
	blockBytes   = 32 << 10
	maxOpenFiles = 500
	// youngTables is how many flushes are left as they are before they are merged: most of what a queue holds is delivered and
	// deleted by then.
	youngTables = 20
	// youngTablesStop is how many there may be before appends wait for them to be merged.
	youngTablesStop = 64
	// secondCompactionDebt is how much there must be to merge for a second compaction at a time.
	secondCompactionDebt = 4 << 30
	// baseLevelBytes saves a backlog one rewrite.
	baseLevelBytes = 256 << 20
)

// Settings are what a store is opened with.
type Settings struct {
	// MaxBytes is the space that all of it may take: memtables and logs take a small part of that.
	MaxBytes int64
	// Logger takes what an operator should know.
	Logger *slog.Logger
}

// Open opens the store in a folder, or creates it, on fs. Until it is open no compaction begins: Pebble would wait for it, seconds if it is a large one. A least
// number of 0 is not what Pebble documents, but what its scheduler takes. suspect is told of tables that cannot
// be read; nil = nobody is.
func Open(dir string, s Settings, fs *failstop.FS, suspect func(path string, err error)) (*pebble.DB, error) {
	var opened atomic.Bool
	defer opened.Store(true)
	compactions := func() (least, most int) {
		if !opened.Load() {
			return 0, 1
		}
		return 1, 2
	}
	return pebble.Open(dir, options(s, fs, &logger{log: s.Logger, fs: fs, onDamage: suspect}, compactions))
}

// formatVersion is the format of the store. It is pinned: raising it is a decision, since it cannot be taken back.
const formatVersion = pebble.FormatTableFormatV6

// options returns the options of the store.
// compactions returns how many compactions run at a time at least and at most.
func options(s Settings, fs *failstop.FS, logger *logger, compactions func() (least, most int)) *pebble.Options {
	memTable := min(max(s.MaxBytes/memTableShare, minMemTableBytes), maxMemTableBytes)
	opts := &pebble.Options{
		FS:                          fs,
		FormatMajorVersion:          formatVersion,
		CacheSize:                   cacheBytes,
		MemTableSize:                uint64(memTable),
		MemTableStopWritesThreshold: 3,
		LBaseMaxBytes:               baseLevelBytes,
		L0CompactionThreshold:       youngTables,
		L0StopWritesThreshold:       youngTablesStop,
		MaxOpenFiles:                maxOpenFiles,
		CompactionConcurrencyRange:  compactions,
		LoggerAndTracer:             logger,
		EventListener: &pebble.EventListener{
			BackgroundError: func(err error) { logger.Errorf("background error: %v", err) },
			DataCorruption:  func(info pebble.DataCorruptionInfo) { logger.damaged(info.Path, info.Details) },
		},
	}
	// Queues are read once and from front to back: to merge what is read often, as a table is after some reads, gains nothing.
	opts.Experimental.ReadSamplingMultiplier = -1
	// A second compaction is for debt alone, and the least number of them means what it says: while the store is being opened, 0.
	opts.Experimental.L0CompactionConcurrency = youngTablesStop
	opts.Experimental.CompactionDebtConcurrency = secondCompactionDebt
	opts.TargetFileSizes[0] = memTable // a flush makes one table: few have to be opened at a start
	for i := range opts.Levels {
		opts.Levels[i].FilterPolicy = bloom.FilterPolicy(bloomBitsPerKey)
		opts.Levels[i].BlockSize = blockBytes
	}
	// Most of what a queue holds is gone before it is merged: what is young is not worth the time to compress it.
	opts.Levels[0].Compression = func() *block.CompressionProfile { return block.NoCompression }
	opts.Levels[1].Compression = func() *block.CompressionProfile { return block.FastestCompression }
	return opts
}

// FileOptions returns the options for work on the files of a store in storage that is not open.
func FileOptions(storage vfs.FS, s Settings) *pebble.Options {
	fs := failstop.New(storage, nil, nil) // nothing is written by it
	opts := options(s, fs, &logger{log: s.Logger, fs: fs}, func() (least, most int) { return 1, 1 })
	opts.EnsureDefaults()
	return opts
}

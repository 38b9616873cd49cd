package embedded

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/sstable/block"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// The defaults of [Options].
const (
	// DefaultMaxBytes is the default of Options.MaxBytes.
	DefaultMaxBytes = 8 << 30
	// DefaultMinFreeBytes is room for two memtables, their logs and one compaction.
	DefaultMinFreeBytes = 128 << 20
	// DefaultDedupeWindow is the default of Options.DedupeWindow.
	DefaultDedupeWindow = 24 * time.Hour
	// DefaultDeadLetterRetention is the default of Options.DeadLetterRetention.
	DefaultDeadLetterRetention = 14 * 24 * time.Hour
)

const (
	// minMaxBytes is the smallest bound that leaves room for events beside the logs.
	minMaxBytes = 8 << 20
	// minDedupeWindow keeps the generation numbers inside 32 bits.
	minDedupeWindow = time.Second
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

// Options configure [Open].
type Options struct {
	// Dir is the directory of the journal; it is created. One process has it open at a time.
	Dir string
	// FS is the file system that holds Dir; nil = that of the operating system, with files that only the process's user can read.
	FS vfs.FS
	// MaxBytes bounds the space on the device, at least 8 MiB. 0 = [DefaultMaxBytes].
	MaxBytes int64
	// MinFreeBytes is what appends leave free on the file system; 0 = nothing. [DefaultMinFreeBytes] is what programs ask for.
	MinFreeBytes int64
	// DedupeWindow is how long dedupe keys are kept at least, at least 1 s; they are forgotten after at most twice the
	// window. 0 = [DefaultDedupeWindow].
	DedupeWindow time.Duration
	// DeadLetterRetention is how long dead letters are kept. 0 = [DefaultDeadLetterRetention].
	DeadLetterRetention time.Duration
	// HeadStart is how long after Open nothing is leased, counted or read ahead: with a backlog, that would take the processors that
	// the process needs to become ready. 0 = nothing waits.
	HeadStart time.Duration
	// Now is the clock; nil = time.Now.
	Now func() time.Time
	// Uptime is how long the process has run, by a clock that does not jump; nil = the time since Open.
	Uptime func() time.Duration
	// Logger receives what operators should know; nil = slog.Default().
	Logger *slog.Logger
}

func (o *Options) complete() error {
	if o.Dir == "" {
		return errors.New("journal directory is not set")
	}
	setDefault(&o.MaxBytes, DefaultMaxBytes)
	setDefault(&o.DedupeWindow, DefaultDedupeWindow)
	setDefault(&o.DeadLetterRetention, DefaultDeadLetterRetention)
	if o.FS == nil {
		o.FS = privateFS{vfs.Default}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Uptime == nil {
		opened := time.Now()
		o.Uptime = func() time.Duration { return time.Since(opened) }
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.MaxBytes < minMaxBytes {
		return fmt.Errorf("journal bound of %d bytes is below the minimum of %d", o.MaxBytes, minMaxBytes)
	}
	if o.DedupeWindow < minDedupeWindow {
		return fmt.Errorf("dedupe window of %v is below the minimum of %v", o.DedupeWindow, minDedupeWindow)
	}
	if o.DeadLetterRetention < 0 {
		return fmt.Errorf("dead letter retention of %v is negative", o.DeadLetterRetention)
	}
	return nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// storeFormat is the format of the store. It is pinned: raising it is a decision, since it cannot be taken back.
const storeFormat = pebble.FormatTableFormatV6

// pebbleOptions returns the options of the store.
// compactions returns how many compactions run at a time at least and at most.
func pebbleOptions(o *Options, fs *failStopFS, logger *storeLogger, compactions func() (least, most int)) *pebble.Options {
	memTable := min(max(o.MaxBytes/memTableShare, minMemTableBytes), maxMemTableBytes)
	opts := &pebble.Options{
		FS:                          fs,
		FormatMajorVersion:          storeFormat,
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

// storeOptions returns the options for work on the files of a store that is not open.
func storeOptions(o *Options) *pebble.Options {
	fs := newFailStopFS(o.FS, func(error) {}) // nothing is written by it
	opts := pebbleOptions(o, fs, &storeLogger{log: o.Logger, fs: fs}, func() (least, most int) { return 1, 1 })
	opts.EnsureDefaults()
	return opts
}

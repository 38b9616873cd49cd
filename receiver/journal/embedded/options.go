package embedded

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mailvane/mailvane/receiver/journal/embedded/folder"
	"github.com/mailvane/mailvane/receiver/journal/embedded/store"
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
		o.FS = folder.PrivateFS{FS: vfs.Default}
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

// store returns what the store is opened with.
func (o *Options) store() store.Settings {
	return store.Settings{MaxBytes: o.MaxBytes, Logger: o.Logger}
}

package embedded

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mailvane/mailvane/receiver/journal/embedded/folder"
)

// The defaults and the bounds of [Options].
const (
	// DefaultMaxAge is the default of Options.MaxAge.
	DefaultMaxAge = 72 * time.Hour
	// DefaultMaxBytes is the default of Options.MaxBytes.
	DefaultMaxBytes = 2 << 30
	// MinMaxBytes is the smallest bound: below it logs and young tables would be most of the store.
	MinMaxBytes = 64 << 20
)

// Options configure [Open].
type Options struct {
	// Dir is the folder of the store; it is created. One process has it open at a time.
	Dir string
	// FS is the file system that holds Dir; nil = that of the operating system, with files that only the process's user can read.
	FS vfs.FS
	// MaxAge is how long events are kept at most. 0 = [DefaultMaxAge].
	MaxAge time.Duration
	// MaxBytes bounds the space on the device, at least [MinMaxBytes]: the oldest events go first. 0 = [DefaultMaxBytes].
	MaxBytes int64
	// MinFreeBytes is what the history leaves free on its file system, where a journal may be too; 0 = nothing.
	MinFreeBytes int64
	// Present is a clock that does not jump, by which things are old; the zero time = nothing is. See [journal.Journal].
	Present func() time.Time
	// Logger receives what operators should know; nil = slog.Default().
	Logger *slog.Logger
}

func (o *Options) complete() error {
	if o.Dir == "" || o.Present == nil {
		return errors.New("the folder or the clock of the history is not set")
	}
	if o.FS == nil {
		o.FS = folder.PrivateFS{FS: vfs.Default}
	}
	if o.MaxAge == 0 {
		o.MaxAge = DefaultMaxAge
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.MaxBytes < MinMaxBytes {
		return fmt.Errorf("a history of %d bytes is below the minimum of %d", o.MaxBytes, MinMaxBytes)
	}
	if o.MaxAge < 0 {
		return fmt.Errorf("a history of %v has no events", o.MaxAge)
	}
	return nil
}

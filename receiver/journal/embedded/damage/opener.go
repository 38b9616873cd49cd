// Package damage finds out what can still be read of the files of a store that are damaged: tables, logs, manifests and options. It knows which
// file may end torn after a crash and which may not, and it puts what is damaged aside before anything takes its place.
package damage

import (
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mailvane/mailvane/receiver/journal/embedded/chunk"
	"github.com/mailvane/mailvane/receiver/journal/embedded/folder"
)

// Error says that a file of the store is damaged so that the store cannot be opened.
type Error struct {
	// File is the path of the file.
	File string
	// Err says what is wrong with it.
	Err error
}

// Error names the file and says what to do.
func (e *Error) Error() string {
	return fmt.Sprintf("%s is damaged: %v; \"mailvane journal salvage\" moves what can be read into a new journal", e.File, e.Err)
}

// Unwrap returns what is wrong.
func (e *Error) Unwrap() error { return e.Err }

// errDamaged says that a part of a file cannot be read.
var errDamaged = errors.New("a part of it that was written cannot be read")

// Opener stands between the store and its files while it is opened: it gives the store what can be read of a damaged log, and refuses a
// damaged manifest. It is for one opening.
type Opener struct {
	// Storage holds the files, and Dir is the folder of the store.
	Storage vfs.FS
	Dir     string
	// Options are those of the store: what stands in place of a damaged file of them.
	Options *pebble.Options
	Marks   *Marks
	// Newest is the newest log: only its end may be torn.
	Newest uint64
	// next is the number of the operation that comes after those of the logs that were read.
	next uint64
	// stored is how many events had been stored before the next batch; 0 = it is not known.
	stored uint64
	// Report is told of each file that is damaged and can be used all the same, when it was put aside.
	Report func(Finding)
	// Lose is told how many events are known to be lost.
	Lose func(events int)
}

// Finding is what was found in a file.
type Finding struct {
	// File is its name, without the folder.
	File string
	// Reason says for people what could not be read.
	Reason string
}

// Open returns the file that the store is to read in place of one that was just opened, most often that itself. The error is a
// [Error] when the store cannot be opened.
func (o *Opener) Open(path string, file vfs.File) (vfs.File, error) {
	name := o.Storage.PathBase(path)
	if number, ok := folder.LogNumber(name); ok {
		return o.openLog(path, number, file)
	}
	if number, ok := folder.ManifestNumber(name); ok {
		if err := checkManifest(file, o.Marks.manifest.sizeIn(number)); err != nil {
			return nil, errors.Join(&Error{File: path, Err: err}, file.Close())
		}
		return file, nil
	}
	if folder.IsOptions(name) {
		return o.openOptions(path, file)
	}
	return file, nil
}

// checkManifest looks whether all of a manifest that was synced, and all that is before something that can be read, can be read.
func checkManifest(file vfs.File, synced int64) error {
	chunks := chunk.NewReader(file, chunk.Frame{})
	skipped := false
	for {
		c, gap, err := chunks.Next()
		skipped = skipped || gap
		switch {
		case skipped && c.First: // each record is synced before the next one is written
			return errDamaged
		case errors.Is(err, io.EOF) && chunks.Sound() >= synced:
			return nil
		case errors.Is(err, io.EOF):
			return errDamaged
		case err != nil:
			return err
		}
	}
}

// openOptions puts the present options in place of a file that is damaged: they say nothing that is needed to read the store.
func (o *Opener) openOptions(path string, file vfs.File) (vfs.File, error) {
	text, err := io.ReadAll(io.NewSectionReader(file, 0, math.MaxInt64))
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	if o.Options.CheckCompatibility(o.Dir, string(text)) == nil {
		return file, nil
	}
	if err := o.keep(path, "it could not be read, and is not needed: no event is missing"); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return vfs.NewMemFile([]byte(o.Options.String())), file.Close()
}

// openLog returns the log, or one of what can be read of it when it is damaged.
func (o *Opener) openLog(path string, number uint64, file vfs.File) (vfs.File, error) {
	synced, sound, err := o.survey(number, file)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	if sound >= synced {
		return file, nil
	}
	s, err := readLog(file, number, synced, salvagedLog{next: o.next, stored: o.stored}, nil)
	if err == nil {
		o.next, o.stored = s.next, s.stored
		o.Lose(s.lost)
		err = o.keep(path, s.String())
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return vfs.NewMemFile(s.image), file.Close()
}

// survey returns up to where a log was synced, as far as that is known, and up to where it can be read. What cannot be read behind
// that is the torn end of a crash.
func (o *Opener) survey(number uint64, file vfs.File) (synced, sound int64, err error) {
	chunks := chunk.NewReader(file, chunk.Log(number))
	synced = o.Marks.log.sizeIn(number)
	broken := false
	for {
		c, gap, err := chunks.Next()
		broken = broken || gap || chunks.Broken()
		synced = max(synced, c.Synced)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return 0, 0, err
		}
	}
	if number != o.Newest && broken {
		synced = math.MaxInt64 // it was closed before the next one was written
	}
	return synced, chunks.Sound(), nil
}

// keep keeps a damaged file for whoever wants to look at it, and reports it. What refers to it is checked when the store is open.
func (o *Opener) keep(path, reason string) error {
	if err := folder.KeepDamaged(o.Storage, o.Dir, path); err != nil {
		return fmt.Errorf("keep the damaged %s: %w", path, err)
	}
	o.Report(Finding{File: o.Storage.PathBase(path), Reason: reason})
	return nil
}

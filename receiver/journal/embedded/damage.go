package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mailvane/mailvane/receiver/journal"
)

const (
	// damagedFolder keeps the files that were damaged, in the folder of the store.
	damagedFolder = "damaged"
	// recheckName is a file that is there while the store may hold what refers to something that was lost.
	recheckName = "RECHECK"
)

var optionsName = regexp.MustCompile(`^OPTIONS-[0-9]+$`)

// losses are what damage has cost since the process began.
type losses struct {
	mu sync.Mutex
	// events counts deliveries by sink, "" where it is not known which; letters counts dead letters.
	events  map[string]int64
	letters int64
	// files are the names of the damaged files that are kept.
	files map[string]bool
	// tables are the paths of damaged tables that are in use.
	tables map[string]bool
}

func (l *losses) add(sink string, count int) {
	if count == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.events == nil {
		l.events = map[string]int64{}
	}
	l.events[sink] += int64(count)
}

func (l *losses) addLetters(count int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.letters += count
}

func (l *losses) snapshot() map[string]int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.events)
}

// suspect remembers a table that could not be read.
func (l *losses) suspect(path string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.tables == nil {
		l.tables = map[string]bool{}
	}
	l.tables[path] = true
}

// takeSuspects returns the tables that could not be read since it was last asked.
func (l *losses) takeSuspects() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	paths := slices.Sorted(maps.Keys(l.tables))
	l.tables = nil
	return paths
}

// look finds the damaged files that are kept.
func (l *losses) look(storage vfs.FS, dir string) {
	names, err := storage.List(storage.PathJoin(dir, damagedFolder))
	l.mu.Lock()
	defer l.mu.Unlock()
	l.files = map[string]bool{}
	for _, name := range names {
		l.files[name] = true
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		l.files["?"] = true
	}
}

// maxNamedFiles bounds how many files a message names.
const maxNamedFiles = 5

// text says for people what was damaged; empty = nothing.
func (l *losses) text(dir string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.files) == 0 {
		return ""
	}
	names := slices.Sorted(maps.Keys(l.files))
	more := ""
	if len(names) > maxNamedFiles {
		more = fmt.Sprintf(" and %d more", len(names)-maxNamedFiles)
		names = names[:maxNamedFiles]
	}
	lost := int64(0)
	for _, n := range l.events {
		lost += n
	}
	return fmt.Sprintf("files of the journal were damaged, and what they held may be lost: %s%s, kept in %s (%d deliveries are known to be lost since the start); "+
		"look after the disk, then remove that folder and restart", strings.Join(names, ", "), more, dir+"/"+damagedFolder, lost)
}

// found reports damage once.
func (j *Journal) found(d damage) {
	j.opts.Logger.Error("a file of the journal is damaged; what can be read of it is used", "file", d.file, "kept", damagedFolder, "found", d.reason)
	j.losses.look(j.opts.FS, j.opts.Dir)
}

// suspect has the committer close the store and mend a table that could not be read.
func (j *Journal) suspect(path string, err error) {
	j.losses.suspect(path)
	j.fail(fmt.Errorf("%s cannot be read and will be mended: %w", path, err))
}

// recheck has the committer close the store, and open it with a check of what is in it.
func (j *Journal) recheck(err error) {
	j.fail(errors.Join(err, markRecheck(j.opts.FS, j.opts.Dir)))
}

// failOrRecheck looks whether what is stored is not what it should be, which opening the store anew does not change.
func (j *Journal) failOrRecheck(err error) {
	if errors.Is(err, errMalformed) || errors.Is(err, journal.ErrNotFound) {
		j.recheck(err)
		return
	}
	j.fail(err)
}

// markRecheck has the next opening check what is in the store.
func markRecheck(storage vfs.FS, dir string) error {
	file, err := storage.Create(storage.PathJoin(dir, recheckName), vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close(), syncDir(storage, dir))
}

// keepDamaged puts a damaged file aside, under its name, and has what refers to it checked.
func keepDamaged(storage vfs.FS, dir, path string) error {
	aside := storage.PathJoin(dir, damagedFolder)
	if err := errors.Join(markRecheck(storage, dir), storage.MkdirAll(aside, folderMode)); err != nil {
		return err
	}
	kept := storage.PathJoin(aside, storage.PathBase(path))
	if err := vfs.LinkOrCopy(storage, path, kept); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return errors.Join(syncDir(storage, aside), syncDir(storage, dir))
}

// syncDir makes the names in a folder durable.
func syncDir(storage vfs.FS, dir string) error {
	folder, err := storage.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

package damage

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mailvane/mailvane/receiver/journal/embedded/folder"
)

// Losses are what damage has cost since the process began. The zero value has none; it is for any number of goroutines.
type Losses struct {
	mu sync.Mutex
	// events counts deliveries by sink, "" where it is not known which.
	events map[string]int64
	// files are the names of the damaged files that are kept.
	files map[string]bool
	// tables are the paths of damaged tables that are in use.
	tables map[string]bool
}

// Add counts deliveries that are lost of a sink; "" = it is not known whose they were.
func (l *Losses) Add(sink string, count int) {
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

// Deliveries returns how many deliveries are known to be lost, by sink; nil = none.
func (l *Losses) Deliveries() map[string]int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.events)
}

// Suspect remembers the path of a table that could not be read.
func (l *Losses) Suspect(path string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.tables == nil {
		l.tables = map[string]bool{}
	}
	l.tables[path] = true
}

// TakeSuspects returns the paths of the tables that could not be read since it was last called.
func (l *Losses) TakeSuspects() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	paths := slices.Sorted(maps.Keys(l.tables))
	l.tables = nil
	return paths
}

// FindKept looks which damaged files are kept in the folder of a store.
func (l *Losses) FindKept(storage vfs.FS, dir string) {
	names, err := storage.List(storage.PathJoin(dir, folder.Damaged))
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

// Text says for people what was damaged of the store in dir; empty = nothing.
func (l *Losses) Text(dir string) string {
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
		"look after the disk, then remove that folder and restart", strings.Join(names, ", "), more, dir+"/"+folder.Damaged, lost)
}

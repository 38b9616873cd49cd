package damage

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mailvane/mailvane/receiver/journal/embedded/folder"
)

// Collection is what can be read of the tables and logs of a store, without its manifest.
type Collection struct {
	storage vfs.FS
	from    string
	options *pebble.Options
	merge   merge
	// Damaged says of each file that could not be read as a whole what is missing. It is complete when each has returned.
	Damaged []string
	// Lost counts the events that are known to be lost of logs.
	Lost int
}

// Collect opens the tables and reads the logs in a folder. Nothing is written to it. The collection must be closed, also after an error.
func Collect(storage vfs.FS, from string, options *pebble.Options) (*Collection, error) {
	c := &Collection{storage: storage, from: from, options: options}
	names, err := storage.List(from)
	if err != nil {
		return c, err
	}
	slices.Sort(names)
	return c, errors.Join(c.addTables(names), c.addLogs(names))
}

// Each calls visit with the newest value of each key, in order. Key and value are good during the call. It can be called once.
func (c *Collection) Each(visit func(key, value []byte) error) error { return c.merge.run(visit) }

// Close closes the tables.
func (c *Collection) Close() error { return c.merge.close() }

func (c *Collection) note(name, format string, arguments ...any) {
	c.Damaged = append(c.Damaged, name+": "+fmt.Sprintf(format, arguments...))
}

func (c *Collection) addTables(names []string) error {
	for _, name := range names {
		if !strings.HasSuffix(name, ".sst") {
			continue
		}
		file, err := c.storage.Open(c.storage.PathJoin(c.from, name))
		if err != nil {
			return err
		}
		table, err := openTable(file, c.options)
		if err != nil {
			return err
		}
		if table.sound == nil {
			c.note(name, "what says where its blocks are cannot be read; %d blocks were found", len(table.data))
		}
		if err := c.merge.addTable(table, func(lost int) { c.note(name, "%d of %d blocks cannot be read", lost, len(table.data)) }); err != nil {
			return err
		}
	}
	return nil
}

// addLogs adds what the tables do not have.
func (c *Collection) addLogs(names []string) error {
	newest, err := folder.NewestLog(c.storage, c.from)
	if err != nil {
		return err
	}
	marks, err := OpenMarks(readOnlyFS{c.storage}, c.from)
	if err = errors.Join(err, marks.Close()); err != nil {
		return err
	}
	m := &Opener{Storage: c.storage, Dir: c.from, Marks: marks, Newest: newest}
	before := salvagedLog{}
	for _, name := range names {
		number, ok := folder.LogNumber(name)
		if !ok {
			continue
		}
		log, err := c.readLog(m, name, number, before)
		if err != nil {
			return err
		}
		before = salvagedLog{next: log.next, stored: log.stored}
	}
	c.merge.sortLogs()
	return nil
}

func (c *Collection) readLog(m *Opener, name string, number uint64, before salvagedLog) (*salvagedLog, error) {
	file, err := c.storage.Open(c.storage.PathJoin(c.from, name))
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // it was only read
	synced, sound, err := m.survey(number, file)
	if err != nil {
		return nil, err
	}
	log, err := readLog(file, number, synced, before, c.merge.addBatch)
	if err == nil && sound < synced {
		c.note(name, "%s", log)
		c.Lost += log.lost
	}
	return log, err
}

// readOnlyFS opens for reading what others open for writing as well.
type readOnlyFS struct{ vfs.FS }

// OpenReadWrite opens a file for reading; one that is not there is empty.
func (f readOnlyFS) OpenReadWrite(name string, _ vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	file, err := f.Open(name, opts...)
	if errors.Is(err, fs.ErrNotExist) {
		return vfs.NewMemFile(nil), nil
	}
	return file, err
}

package damage

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mailvane/mailvane/receiver/journal/embedded/chunk"
	"github.com/mailvane/mailvane/receiver/journal/embedded/folder"
)

// markName is the file of the mark.
const markName = "SYNCED"

// position is how much of a file is on stable storage.
type position struct{ number, size uint64 }

// sizeIn returns how much of the file with that number must be there.
func (p position) sizeIn(number uint64) int64 {
	if p.number != number {
		return 0
	}
	return int64(p.size)
}

// Marks say how much of the newest log and of the newest manifest was synced. What is missing of that is damage; what is missing behind
// it may be the torn end of a crash. They are written after each sync and not synced themselves: a killed process leaves the last
// ones, a power cut may leave older ones, which say less and nothing that is wrong. They are for any number of goroutines.
type Marks struct {
	mu            sync.Mutex
	log, manifest position
	file          vfs.File
}

// OpenMarks reads the marks of the store in dir and opens their file. Damaged ones say nothing. The marks are usable also when there is an
// error; nothing is marked then. They must be closed.
func OpenMarks(storage vfs.FS, dir string) (*Marks, error) {
	m := &Marks{}
	file, err := storage.OpenReadWrite(storage.PathJoin(dir, markName), vfs.WriteCategoryUnspecified)
	if err != nil {
		return m, err
	}
	m.file = file
	image, err := io.ReadAll(file)
	if err != nil {
		return m, err
	}
	m.decode(image)
	return m, nil
}

const (
	markNumbers = 4
	markBytes   = 8*markNumbers + 4
)

func (m *Marks) decode(image []byte) {
	if len(image) != markBytes || crc32.Checksum(image[:8*markNumbers], chunk.Castagnoli()) != binary.BigEndian.Uint32(image[8*markNumbers:]) {
		return
	}
	m.log = position{binary.BigEndian.Uint64(image), binary.BigEndian.Uint64(image[8:])}
	m.manifest = position{binary.BigEndian.Uint64(image[16:]), binary.BigEndian.Uint64(image[24:])}
}

// Synced returns what is told how many bytes of the file of that name were synced; nil = that need not be known.
func (m *Marks) Synced(name string) func(size int64) {
	if m == nil {
		return nil
	}
	if number, ok := folder.LogNumber(name); ok {
		return func(size int64) { m.set(&m.log, number, size) }
	}
	if number, ok := folder.ManifestNumber(name); ok {
		return func(size int64) { m.set(&m.manifest, number, size) }
	}
	return nil
}

func (m *Marks) set(at *position, number uint64, size int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if number < at.number || m.file == nil {
		return
	}
	*at = position{number, uint64(size)}
	image := make([]byte, 0, markBytes)
	for _, n := range []uint64{m.log.number, m.log.size, m.manifest.number, m.manifest.size} {
		image = binary.BigEndian.AppendUint64(image, n)
	}
	image = binary.BigEndian.AppendUint32(image, crc32.Checksum(image, chunk.Castagnoli()))
	_, _ = m.file.WriteAt(image, 0) // an older mark says less, and nothing that is wrong
}

// Close closes the file. Nothing is marked any more.
func (m *Marks) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.file == nil {
		return nil
	}
	file := m.file
	m.file = nil
	return errors.Join(file.Close())
}

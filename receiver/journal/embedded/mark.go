package embedded

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// markName is the file of the mark.
const markName = "SYNCED"

const (
	logSuffix      = ".log"
	manifestPrefix = "MANIFEST-"
)

// logNumber reads the number of a log from the name of its file.
func logNumber(name string) (uint64, bool) {
	digits, ok := strings.CutSuffix(name, logSuffix)
	return parseNumber(digits, ok)
}

func manifestNumber(name string) (uint64, bool) {
	digits, ok := strings.CutPrefix(name, manifestPrefix)
	return parseNumber(digits, ok)
}

func parseNumber(digits string, ok bool) (uint64, bool) {
	n, err := strconv.ParseUint(digits, 10, 64)
	return n, ok && err == nil
}

// position is how much of a file is on stable storage.
type position struct{ number, size uint64 }

// sizeIn returns how much of the file with that number must be there.
func (p position) sizeIn(number uint64) int64 {
	if p.number != number {
		return 0
	}
	return int64(p.size)
}

// marks say how much of the newest log and of the newest manifest was synced. What is missing of that is damage; what is missing behind
// it may be the torn end of a crash. They are written after each sync and not synced themselves: a killed process leaves the last
// ones, a power cut may leave older ones, which say less and nothing that is wrong.
type marks struct {
	mu            sync.Mutex
	log, manifest position
	file          vfs.File
}

// openMarks reads the marks and opens their file. Damaged ones say nothing. Without the file, nothing is marked.
func openMarks(storage vfs.FS, path string) (*marks, error) {
	m := &marks{}
	file, err := storage.OpenReadWrite(path, vfs.WriteCategoryUnspecified)
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

func (m *marks) decode(image []byte) {
	if len(image) != markBytes || crc32.Checksum(image[:8*markNumbers], castagnoli()) != binary.BigEndian.Uint32(image[8*markNumbers:]) {
		return
	}
	m.log = position{binary.BigEndian.Uint64(image), binary.BigEndian.Uint64(image[8:])}
	m.manifest = position{binary.BigEndian.Uint64(image[16:]), binary.BigEndian.Uint64(image[24:])}
}

// synced returns what marks a file of that name, or nil where it is none that matters.
func (m *marks) synced(name string) func(size int64) {
	if m == nil {
		return nil
	}
	if number, ok := logNumber(name); ok {
		return func(size int64) { m.set(&m.log, number, size) }
	}
	if number, ok := manifestNumber(name); ok {
		return func(size int64) { m.set(&m.manifest, number, size) }
	}
	return nil
}

func (m *marks) set(at *position, number uint64, size int64) {
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
	image = binary.BigEndian.AppendUint32(image, crc32.Checksum(image, castagnoli()))
	_, _ = m.file.WriteAt(image, 0) // an older mark says less, and nothing that is wrong
}

func (m *marks) close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.file == nil {
		return nil
	}
	file := m.file
	m.file = nil
	return errors.Join(file.Close())
}

package folder

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"math"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/go-json-experiment/json"
)

// sinkNamesName is a file that says once more which sink has which id: with that alone of the store lost, all that is owed would be owed
// to nobody.
const sinkNamesName = "SINKS"

// WriteSinkNames writes which sink has which id, durably, in place of what was written before.
func WriteSinkNames(storage vfs.FS, dir string, ids map[string]uint32) error {
	text, err := json.Marshal(ids, json.Deterministic(true))
	if err != nil {
		return fmt.Errorf("encode the names of sinks: %w", err)
	}
	path := storage.PathJoin(dir, sinkNamesName)
	file, err := storage.Create(path+".new", vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = file.Write(fmt.Appendf(nil, "%s\n%08x\n", text, checksum(text)))
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	return errors.Join(storage.Rename(path+".new", path), Sync(storage, dir))
}

// ReadSinkNames reads what [WriteSinkNames] wrote. A file that is damaged or missing says nothing: the store knows the same.
func ReadSinkNames(storage vfs.FS, dir string) (map[string]uint32, error) {
	file, err := storage.Open(storage.PathJoin(dir, sinkNamesName))
	if errors.Is(err, fs.ErrNotExist) {
		return map[string]uint32{}, nil
	}
	if err != nil {
		return nil, err
	}
	image, err := io.ReadAll(io.NewSectionReader(file, 0, math.MaxInt64))
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, err
	}
	return decodeSinkNames(string(image)), nil
}

func decodeSinkNames(image string) (ids map[string]uint32) {
	text, sum, _ := strings.Cut(image, "\n")
	if sum == fmt.Sprintf("%08x\n", checksum([]byte(text))) {
		_ = json.Unmarshal([]byte(text), &ids) // what its checksum holds for was written by this package
	}
	return ids
}

// checksum is that of the last line of the file.
func checksum(text []byte) uint32 { return crc32.Checksum(text, crc32.MakeTable(crc32.Castagnoli)) }

package embedded

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/go-json-experiment/json"
)

// sinkNamesName is a file that says once more which sink has which id: with that alone of the store lost, all that is owed would be owed
// to nobody.
const sinkNamesName = "SINKS"

// writeSinkNames writes the file anew.
func writeSinkNames(storage vfs.FS, dir string, ids map[string]uint32) error {
	text, err := json.Marshal(ids, json.Deterministic(true))
	if err != nil {
		return fmt.Errorf("encode the names of sinks: %w", err)
	}
	path := storage.PathJoin(dir, sinkNamesName)
	file, err := storage.Create(path+".new", vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = file.Write(fmt.Appendf(nil, "%s\n%08x\n", text, crc32.Checksum(text, castagnoli())))
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	return errors.Join(storage.Rename(path+".new", path), syncDir(storage, dir))
}

// readSinkNames reads the file. One that is damaged or missing says nothing: the store knows the same.
func readSinkNames(storage vfs.FS, dir string) (map[string]uint32, error) {
	file, err := storage.Open(storage.PathJoin(dir, sinkNamesName))
	if errors.Is(err, fs.ErrNotExist) {
		return map[string]uint32{}, nil
	}
	if err != nil {
		return nil, err
	}
	image, err := io.ReadAll(newOffsetReader(file))
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, err
	}
	return decodeSinkNames(string(image)), nil
}

func decodeSinkNames(image string) (ids map[string]uint32) {
	text, sum, _ := strings.Cut(image, "\n")
	if sum == fmt.Sprintf("%08x\n", crc32.Checksum([]byte(text), castagnoli())) {
		_ = json.Unmarshal([]byte(text), &ids) // what its checksum holds for was written by this package
	}
	return ids
}

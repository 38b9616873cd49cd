package folder

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

const (
	logSuffix      = ".log"
	manifestPrefix = "MANIFEST-"
)

// LogNumber reads the number of a log from the name of its file.
func LogNumber(name string) (uint64, bool) {
	digits, ok := strings.CutSuffix(name, logSuffix)
	return parseNumber(digits, ok)
}

// ManifestNumber reads the number of a manifest from the name of its file.
func ManifestNumber(name string) (uint64, bool) {
	digits, ok := strings.CutPrefix(name, manifestPrefix)
	return parseNumber(digits, ok)
}

func parseNumber(digits string, ok bool) (uint64, bool) {
	n, err := strconv.ParseUint(digits, 10, 64)
	return n, ok && err == nil
}

// NewestLog returns the number of the newest log, or 0.
func NewestLog(storage vfs.FS, dir string) (newest uint64, err error) {
	names, err := storage.List(dir)
	for _, name := range names {
		if number, ok := LogNumber(name); ok {
			newest = max(newest, number)
		}
	}
	return newest, err
}

var (
	optionsName = regexp.MustCompile(`^OPTIONS-[0-9]+$`)
	// storeFile matches the names of a store's files but for the lock.
	storeFile = regexp.MustCompile(`^([0-9]+(-[0-9]+)?\.(sst|log|blob|dbtmp)|(MANIFEST|OPTIONS)-[0-9]+|(marker|temporary)\..+|SINKS|SYNCED|RECHECK)$`)
)

// IsOptions reports whether a file of that name holds the options of a store.
func IsOptions(name string) bool { return optionsName.MatchString(name) }

// IsStore reports whether a folder with files of those names holds a store.
func IsStore(names []string) bool { return slices.ContainsFunc(names, storeFile.MatchString) }

package embedded_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/mailvane/mailvane/receiver/journal/embedded"
	"github.com/mailvane/mailvane/receiver/journal/embedded/folder"
)

// openFolder opens a journal in a folder of the operating system.
func openFolder(t *testing.T, dir string, log *slog.Logger) *embedded.Journal {
	t.Helper()
	j, err := embedded.Open(embedded.Options{Dir: dir, MinFreeBytes: -1, Logger: log})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() { j.Close() }) //nolint:errcheck // the tests that care close it themselves
	return j
}

func closeJournal(t *testing.T, j *embedded.Journal) {
	t.Helper()
	if err := j.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
}

// TestAStoreIsMoved moves a store from the folder that earlier releases kept it in, also after an attempt that was interrupted at each
// of its files, and leaves alone what else is there.
func TestAStoreIsMoved(t *testing.T) {
	t.Parallel()
	quiet := slog.New(slog.DiscardHandler)
	for moved := range 4 {
		t.Run(fmt.Sprintf("%d files were moved before", moved), func(t *testing.T) {
			t.Parallel()
			data := t.TempDir()
			to := filepath.Join(data, "journal")
			j := openFolder(t, data, quiet)
			for n := range 10 {
				appendSoon(t, j, numberedBatch(n, 100))
			}
			closeJournal(t, j)
			other := filepath.Join(data, "events.jsonl")
			if err := errors.Join(os.WriteFile(other, []byte("{}\n"), 0o600), os.Mkdir(to, 0o700)); err != nil {
				t.Fatal(err)
			}
			names, err := filepath.Glob(filepath.Join(data, "*-0*"))
			if err != nil || len(names) == 0 {
				t.Fatalf("files of the store: %v, %v", names, err)
			}
			for _, name := range names[:min(moved, len(names))] {
				if err := os.Rename(name, filepath.Join(to, filepath.Base(name))); err != nil {
					t.Fatal(err)
				}
			}
			for range 2 { // the second time there is nothing to move
				if err := folder.Move(data, to, quiet); err != nil {
					t.Fatalf("Move: %v", err)
				}
			}
			checkHolds(t, openFolder(t, to, quiet), 10)
			left, err := os.ReadDir(data)
			if err != nil || len(left) != 2 {
				t.Errorf("left in the folder: %v, %v, want events.jsonl and journal", left, err)
			}
		})
	}
}

// checkHolds checks that the journal owes those of numberedBatch from 0 to count, each once.
func checkHolds(t *testing.T, j *embedded.Journal, count int) {
	t.Helper()
	seen := map[string]int{}
	for id := range everyDelivery(t, j) {
		seen[id]++
	}
	for n := range count {
		if seen[fmt.Sprint(n)] != 1 {
			t.Errorf("%d was delivered %d times", n, seen[fmt.Sprint(n)])
		}
	}
}

func TestAStoreInUseIsNotMoved(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	openFolder(t, data, slog.New(slog.DiscardHandler))
	err := folder.Move(data, filepath.Join(data, "journal"), slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "lock") {
		t.Errorf("Move = %v, want that the store is locked", err)
	}
}

// TestFilesArePrivate looks at the modes of all files under a mask that takes nothing away, in a new store and in one of a release
// that did not care. It changes the process's mask, so it is not parallel.
func TestFilesArePrivate(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	dir := filepath.Join(t.TempDir(), "data", "journal")
	var log bytes.Buffer
	j := openFolder(t, dir, slog.New(slog.NewTextHandler(&log, nil)))
	for n := range 3 {
		appendSoon(t, j, numberedBatch(n, 100))
	}
	checkPrivate(t, dir)
	closeJournal(t, j)
	checkPrivate(t, dir)
	if log.Len() > 0 {
		t.Errorf("a new store logs %s", log.String())
	}

	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if err := os.Chmod(name, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	openFolder(t, dir, slog.New(slog.NewTextHandler(&log, nil)))
	checkPrivate(t, dir)
	if lines := strings.Count(log.String(), "\n"); lines != 1 || !strings.Contains(log.String(), "others could read") {
		t.Errorf("a store that others could read logs %q, want one line that says so", log.String())
	}
}

func checkPrivate(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

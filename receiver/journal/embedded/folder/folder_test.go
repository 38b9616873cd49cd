package folder

import (
	"bytes"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, storage vfs.FS, path, text string) {
	t.Helper()
	file, err := storage.Create(path, vfs.WriteCategoryUnspecified)
	must(t, err)
	_, err = file.Write([]byte(text))
	must(t, err)
	must(t, file.Close())
}

func read(t *testing.T, storage vfs.FS, path string) string {
	t.Helper()
	file, err := storage.Open(path)
	must(t, err)
	text, err := io.ReadAll(file)
	must(t, err)
	must(t, file.Close())
	return string(text)
}

func newMemory(t *testing.T) *vfs.MemFS {
	t.Helper()
	memory := vfs.NewMem()
	must(t, memory.MkdirAll("store", Mode))
	return memory
}

// TestSinkNames reads what was written, and damages each byte of it: that says nothing, and nothing wrong.
func TestSinkNames(t *testing.T) {
	t.Parallel()
	memory := newMemory(t)
	if ids, err := ReadSinkNames(memory, "store"); err != nil || len(ids) != 0 {
		t.Errorf("before anything was written: %v, %v", ids, err)
	}
	want := map[string]uint32{"mail/a": 1, "mail/\u00fc": 1<<32 - 1}
	must(t, WriteSinkNames(memory, "store", map[string]uint32{"mail/old": 7}))
	must(t, WriteSinkNames(memory, "store", want))
	got, err := ReadSinkNames(memory, "store")
	must(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	whole := read(t, memory, "store/SINKS")
	for at := range len(whole) {
		broken := []byte(whole)
		broken[at] ^= 1
		write(t, memory, "store/SINKS", string(broken))
		if got, err := ReadSinkNames(memory, "store"); err != nil || len(got) != 0 {
			t.Errorf("byte %d: %v, %v", at, got, err)
		}
	}
}

// TestTheFileOfSinkNamesStays compares it with what stores hold already.
func TestTheFileOfSinkNamesStays(t *testing.T) {
	t.Parallel()
	memory := newMemory(t)
	must(t, WriteSinkNames(memory, "store", map[string]uint32{"mail/b": 2, "mail/a": 1}))
	if got, want := read(t, memory, "store/SINKS"), "{\"mail/a\":1,\"mail/b\":2}\n6746dddf\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		log, manifest      uint64
		isLog, isManifest  bool
		isOptions, isStore bool
	}{
		"000012.log":       {log: 12, isLog: true, isStore: true},
		"MANIFEST-000003":  {manifest: 3, isManifest: true, isStore: true},
		"OPTIONS-000004":   {isOptions: true, isStore: true},
		"000005.sst":       {isStore: true},
		"SYNCED":           {isStore: true},
		"MANIFEST-":        {},
		"x.log":            {},
		"-1.log":           {},
		"events.jsonl":     {},
		"LOCK":             {}, // it is there where there was a store
		"000012.log.saved": {},
	} {
		log, isLog := LogNumber(name)
		manifest, isManifest := ManifestNumber(name)
		if isLog != test.isLog || isManifest != test.isManifest || isLog && log != test.log || isManifest && manifest != test.manifest {
			t.Errorf("%s: log %d %v, manifest %d %v", name, log, isLog, manifest, isManifest)
		}
		if IsOptions(name) != test.isOptions || IsStore([]string{"other", name}) != test.isStore {
			t.Errorf("%s: options %v, a store's %v", name, IsOptions(name), IsStore([]string{name}))
		}
	}
	memory := newMemory(t)
	for _, name := range []string{"000009.log", "000012.log", "000013.sst"} {
		write(t, memory, "store/"+name, "")
	}
	if newest, err := NewestLog(memory, "store"); newest != 12 || err != nil {
		t.Errorf("newest log %d, %v", newest, err)
	}
}

// TestDamagedFilesAreKept keeps a file twice: the first time it was as it was found.
func TestDamagedFilesAreKept(t *testing.T) {
	t.Parallel()
	memory := newMemory(t)
	if AwaitsRecheck(memory, "store") {
		t.Error("a new store awaits a check")
	}
	for _, text := range []string{"as it was found", "mended"} {
		write(t, memory, "store/new", text)
		must(t, memory.Rename("store/new", "store/000001.sst"))
		must(t, KeepDamaged(memory, "store", "store/000001.sst"))
		if got := read(t, memory, "store/damaged/000001.sst"); got != "as it was found" {
			t.Errorf("kept is %q", got)
		}
		if got := read(t, memory, "store/000001.sst"); got != text {
			t.Errorf("the store has %q", got)
		}
	}
	if !AwaitsRecheck(memory, "store") {
		t.Error("no check is awaited")
	}
	must(t, RecheckDone(memory, "store"))
	if AwaitsRecheck(memory, "store") {
		t.Error("a check is awaited that was made")
	}
}

// TestAStoreIsLockedOnce locks a store twice, and again when the lock was given back.
func TestAStoreIsLockedOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	lock, err := Lock(vfs.Default, dir)
	must(t, err)
	if _, err := Lock(vfs.Default, dir); err == nil {
		t.Error("it is locked twice")
	}
	must(t, lock.Close())
	lock, err = Lock(vfs.Default, dir)
	must(t, err)
	must(t, lock.Close())
}

// TestOnlyTheStoreIsMoved moves a store, also one that others could read, and leaves what else is there.
func TestOnlyTheStoreIsMoved(t *testing.T) {
	t.Parallel()
	from := t.TempDir()
	to := filepath.Join(from, "journal")
	var log bytes.Buffer
	must(t, Move(from, to, slog.New(slog.NewTextHandler(&log, nil))))
	if _, err := os.Stat(to); err == nil || log.Len() > 0 {
		t.Errorf("a store that is not there was moved: %s", log.String())
	}
	for _, name := range []string{"000001.log", "MANIFEST-000002", "SINKS", "LOCK", "other"} {
		must(t, os.WriteFile(filepath.Join(from, name), nil, 0o644))
	}
	must(t, Move(from, to, slog.New(slog.NewTextHandler(&log, nil))))
	must(t, MakePrivate(to, slog.New(slog.NewTextHandler(&log, nil))))
	var got []string
	must(t, filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			got = append(got, strings.TrimPrefix(path, from+"/"))
		}
		return err
	}))
	if diff := cmp.Diff([]string{"journal/000001.log", "journal/MANIFEST-000002", "journal/SINKS", "other"}, got); diff != "" {
		t.Error(diff)
	}
	info, err := os.Stat(filepath.Join(to, "000001.log"))
	if err != nil || info.Mode().Perm() != fileMode || !strings.Contains(log.String(), "files=3") || strings.Count(log.String(), "others could read") != 1 {
		t.Errorf("%v, %v, logged %s", info.Mode(), err, log.String())
	}
}

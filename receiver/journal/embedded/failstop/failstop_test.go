package failstop_test

import (
	"errors"
	"io"
	"io/fs"
	"slices"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/mailvane/mailvane/receiver/journal/embedded/failstop"
)

// device is a disk whose writes can be made to fail.
type device struct {
	vfs.FS
	fails bool
}

func newDevice(t *testing.T) *device {
	t.Helper()
	d := &device{}
	memory := vfs.NewMem()
	must(t, memory.MkdirAll("d", 0o700))
	d.FS = errorfs.Wrap(memory, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if d.fails && op.Kind.ReadOrWrite() == errorfs.OpIsWrite {
			return syscall.ENOSPC
		}
		return nil
	}))
	return d
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, storage vfs.FS, name, text string) {
	t.Helper()
	file, err := storage.Create(name, vfs.WriteCategoryUnspecified)
	must(t, err)
	_, err = file.Write([]byte(text))
	must(t, errors.Join(err, file.Sync(), file.Close()))
}

func read(storage vfs.FS, name string) (string, error) {
	file, err := storage.Open(name)
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(file)
	return string(text), errors.Join(err, file.Close())
}

// TestTheFirstFailureEndsAllWriting fails each operation that writes. The caller is told that all went well, then and after; on the device
// is what was there before.
func TestTheFirstFailureEndsAllWriting(t *testing.T) {
	t.Parallel()
	for name, operation := range map[string]func(f *failstop.FS, open vfs.File) error{
		"create": func(f *failstop.FS, _ vfs.File) error {
			_, err := f.Create("d/new", vfs.WriteCategoryUnspecified)
			return err
		},
		"reuse": func(f *failstop.FS, _ vfs.File) error {
			_, err := f.ReuseForWrite("d/old", "d/new", vfs.WriteCategoryUnspecified)
			return err
		},
		"link":            func(f *failstop.FS, _ vfs.File) error { return f.Link("d/old", "d/new") },
		"remove":          func(f *failstop.FS, _ vfs.File) error { return f.Remove("d/old") },
		"remove a tree":   func(f *failstop.FS, _ vfs.File) error { return f.RemoveAll("d") },
		"rename":          func(f *failstop.FS, _ vfs.File) error { return f.Rename("d/old", "d/new") },
		"make a folder":   func(f *failstop.FS, _ vfs.File) error { return f.MkdirAll("d/new", 0o700) },
		"write":           func(_ *failstop.FS, file vfs.File) error { _, err := file.Write([]byte("more")); return err },
		"write at":        func(_ *failstop.FS, file vfs.File) error { _, err := file.WriteAt([]byte("X"), 0); return err },
		"sync":            func(_ *failstop.FS, file vfs.File) error { return file.Sync() },
		"sync the data":   func(_ *failstop.FS, file vfs.File) error { return file.SyncData() },
		"start a sync":    func(_ *failstop.FS, file vfs.File) error { _, err := file.SyncTo(1); return err },
		"what it is told": func(f *failstop.FS, _ vfs.File) error { return f.Stop(syscall.ENOSPC) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, stops := newDevice(t), 0
			f := failstop.New(d, func(error) { stops++ }, nil)
			write(t, f, "d/old", "old")
			open, err := f.OpenReadWrite("d/old", vfs.WriteCategoryUnspecified)
			must(t, err)
			if f.Stopped() || f.Cause() != nil {
				t.Fatalf("it is stopped: %v", f.Cause())
			}
			d.fails = true
			must(t, operation(f, open))
			must(t, operation(f, open))
			d.fails = false
			if !f.Stopped() || !errors.Is(f.Cause(), syscall.ENOSPC) || stops != 1 {
				t.Errorf("stopped %d times, the cause is %v", stops, f.Cause())
			}
			write(t, f, "d/later", "later")
			_, err = open.Write([]byte("more"))
			must(t, errors.Join(err, open.Preallocate(0, 1), f.Remove("d/old"), f.Rename("d/old", "d/older"), open.Close()))
			if names, err := d.List("d"); err != nil || !slices.Equal(names, []string{"old"}) {
				t.Errorf("on the device are %v, %v", names, err)
			}
			if text, err := read(d, "d/old"); err != nil || text != "old" {
				t.Errorf("on the device is %q, %v", text, err)
			}
			if text, err := read(f, "d/later"); err != nil || text != "" {
				t.Errorf("what was created after the stop holds %q, %v, want nothing", text, err)
			}
			if _, err := f.Stat("d/later"); err != nil {
				t.Errorf("what was created after the stop is not described: %v", err)
			}
		})
	}
}

// TestAnswersAreNoFailures asks for what is not there, and for what is there already.
func TestAnswersAreNoFailures(t *testing.T) {
	t.Parallel()
	f := failstop.New(newDevice(t), nil, nil)
	write(t, f, "d/there", "")
	if err := f.Rename("d/missing", "d/new"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("rename what is missing: %v", err)
	}
	if err := f.Link("d/there", "d/there"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("link to what is there: %v", err)
	}
	if f.Stopped() {
		t.Errorf("it is stopped: %v", f.Cause())
	}
}

// TestSyncsAreTold follows what is told of the size that was synced: never more than that, and nothing of a sync that failed.
func TestSyncsAreTold(t *testing.T) {
	t.Parallel()
	var told []int64
	d := newDevice(t)
	f := failstop.New(d, nil, func(name string) func(int64) {
		if name != "log" {
			return nil
		}
		return func(size int64) { told = append(told, size) }
	})
	write(t, f, "d/other", "other")
	file, err := f.Create("d/log", vfs.WriteCategoryUnspecified)
	must(t, err)
	for _, text := range []string{"four", "and more"} {
		_, err := file.Write([]byte(text))
		must(t, errors.Join(err, file.Sync()))
	}
	d.fails = true
	_, err = file.Write([]byte("lost"))
	must(t, errors.Join(err, file.SyncData(), file.Close()))
	if want := []int64{4, 12}; !slices.Equal(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
}

// TestReadsGoThroughTheReader has one file given in place of another, and an error, for as long as there is a reader.
func TestReadsGoThroughTheReader(t *testing.T) {
	t.Parallel()
	f := failstop.New(newDevice(t), nil, nil)
	write(t, f, "d/file", "as it is")
	f.ReadThrough(func(path string, file vfs.File) (vfs.File, error) {
		if path != "d/file" {
			return nil, errors.Join(errors.New("no"), file.Close())
		}
		return vfs.NewMemFile([]byte("mended")), file.Close()
	})
	write(t, f, "d/refused", "")
	if text, err := read(f, "d/file"); err != nil || text != "mended" {
		t.Errorf("%q, %v with a reader", text, err)
	}
	if _, err := read(f, "d/refused"); err == nil {
		t.Error("no error of the reader")
	}
	f.ReadThrough(nil)
	if text, err := read(f, "d/file"); err != nil || text != "as it is" {
		t.Errorf("%q, %v without a reader", text, err)
	}
}

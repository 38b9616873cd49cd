package damage

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/journal/embedded/folder"
)

const dir = "store"

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// quiet takes what a store says.
type quiet struct{ pebble.Logger }

func (quiet) Infof(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}

func options(memory vfs.FS) *pebble.Options {
	o := &pebble.Options{
		FS: memory, FormatMajorVersion: pebble.FormatTableFormatV6, DisableAutomaticCompactions: true,
		Logger: quiet{pebble.DefaultLogger},
	}
	o.EnsureDefaults()
	return o
}

// testStore is a store with tables and a log, in which keys were set, set again, deleted, and deleted as a range.
func testStore(t *testing.T) (*vfs.MemFS, map[string]string) {
	t.Helper()
	memory := vfs.NewMem()
	db, err := pebble.Open(dir, options(memory))
	must(t, err)
	random, want := rand.New(rand.NewPCG(1, 2)), map[string]string{}
	set := func(n int) {
		key, value := fmt.Sprintf("key %03d", n), fmt.Sprintf("%d %x", random.Uint32(), make([]byte, 300))
		must(t, db.Set([]byte(key), []byte(value), pebble.Sync))
		want[key] = value
	}
	for n := range 300 {
		set(n)
	}
	must(t, db.Flush())
	must(t, db.DeleteRange([]byte("key 100"), []byte("key 150"), pebble.Sync))
	maps.DeleteFunc(want, func(key, _ string) bool { return key >= "key 100" && key < "key 150" })
	for n := 90; n < 110; n++ {
		set(n)
	}
	must(t, db.Flush())
	for n := range 20 {
		set(n)
	}
	must(t, db.Delete([]byte("key 299"), pebble.Sync))
	delete(want, "key 299")
	must(t, db.Close())
	return memory, want
}

// clone copies the files of a store.
func clone(t *testing.T, from *vfs.MemFS) *vfs.MemFS {
	t.Helper()
	to := vfs.NewMem()
	must(t, to.MkdirAll(dir, 0o700))
	for _, name := range names(t, from) {
		write(t, to, name, read(t, from, name))
	}
	return to
}

func names(t *testing.T, memory *vfs.MemFS) []string {
	t.Helper()
	list, err := memory.List(dir)
	must(t, err)
	slices.Sort(list)
	return slices.DeleteFunc(list, func(name string) bool { return name == folder.Damaged })
}

func read(t *testing.T, memory vfs.FS, name string) []byte {
	t.Helper()
	file, err := memory.Open(path.Join(dir, name))
	must(t, err)
	image, err := io.ReadAll(file)
	must(t, errors.Join(err, file.Close()))
	return image
}

func write(t *testing.T, memory vfs.FS, name string, image []byte) {
	t.Helper()
	file, err := memory.Create(path.Join(dir, name), vfs.WriteCategoryUnspecified)
	must(t, err)
	_, err = file.Write(bytes.Clone(image)) // with the race detector, the file system changes what it has written
	must(t, errors.Join(err, file.Close()))
}

// entries reads a store as the database does.
func entries(t *testing.T, memory vfs.FS) map[string]string {
	t.Helper()
	db, err := pebble.Open(dir, options(memory))
	must(t, err)
	iter, err := db.NewIter(nil)
	must(t, err)
	all := map[string]string{}
	for valid := iter.First(); valid; valid = iter.Next() {
		all[string(iter.Key())] = string(iter.Value())
	}
	must(t, errors.Join(iter.Error(), iter.Close(), db.Close()))
	return all
}

// collected reads a store without its manifest.
func collected(t *testing.T, memory vfs.FS) (all map[string]string, damaged []string) {
	t.Helper()
	c, err := Collect(memory, dir, options(memory))
	must(t, err)
	all = map[string]string{}
	must(t, c.Each(func(key, value []byte) error {
		if _, twice := all[string(key)]; twice {
			t.Errorf("%s is visited twice", key)
		}
		all[string(key)] = string(value)
		return nil
	}))
	must(t, c.Close())
	return all, c.Damaged
}

func TestACollectionIsWhatTheDatabaseReads(t *testing.T) {
	t.Parallel()
	memory, want := testStore(t)
	got, damaged := collected(t, memory)
	if diff := cmp.Diff(want, got); diff != "" || len(damaged) > 0 {
		t.Errorf("damaged %v %s", damaged, diff)
	}
}

// ofSuffix returns the files of a store with a suffix.
func ofSuffix(t *testing.T, memory *vfs.MemFS, suffix string) []string {
	t.Helper()
	return slices.DeleteFunc(names(t, memory), func(name string) bool { return !strings.HasSuffix(name, suffix) })
}

// TestTablesAreRepaired damages tables here and there. The database reads what is left, no other value has come in the place of one that is
// lost, and what is lost is no more than a block, or, with the index, the deletions of ranges.
func TestTablesAreRepaired(t *testing.T) {
	t.Parallel()
	memory, want := testStore(t)
	for _, name := range ofSuffix(t, memory, ".sst") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			size := len(read(t, memory, name))
			for at := 0; at < size; at += size/20 + 1 {
				repairOne(t, clone(t, memory), want, name, at)
			}
			repairOne(t, clone(t, memory), want, name, size-1)
		})
	}
}

func repairOne(t *testing.T, memory *vfs.MemFS, want map[string]string, name string, at int) {
	t.Helper()
	whole := read(t, memory, name)
	broken := bytes.Clone(whole)
	broken[at] ^= 0x10
	write(t, memory, name, broken)
	collectedOf, damaged := collected(t, memory)
	found, err := RepairTable(memory, path.Join(dir, name), options(memory))
	must(t, err)
	if found == nil { // it is in no block
		if len(damaged) > 0 {
			t.Errorf("byte %d: not repaired, and damaged: %v", at, damaged)
		}
		return
	}
	if len(damaged) == 0 || found.File != name || found.Reason == "" || !folder.AwaitsRecheck(memory, dir) {
		t.Errorf("byte %d: found %+v, %v", at, found, damaged)
	}
	if kept := read(t, memory, path.Join(folder.Damaged, name)); !bytes.Equal(kept, broken) {
		t.Errorf("byte %d: kept is another file", at)
	}
	if len(read(t, memory, name)) != len(whole) {
		t.Errorf("byte %d: it has another size than the manifest says", at)
	}
	if again, err := RepairTable(memory, path.Join(dir, name), options(memory)); again != nil || err != nil {
		t.Errorf("byte %d: what was repaired is damaged: %v, %v", at, again, err)
	}
	for how, got := range map[string]map[string]string{"repaired": entries(t, memory), "collected": collectedOf} {
		missing := 0
		for key := range want {
			if _, there := got[key]; !there {
				missing++
			}
		}
		if missing > 200 {
			t.Errorf("byte %d, %s: %d of %d keys are missing", at, how, missing, len(want))
		}
	}
}

// TestADamagedLogIsReadAround damages the log that is not the newest any more, so that it may not end early.
func TestADamagedLogIsReadAround(t *testing.T) {
	t.Parallel()
	memory, want := testStore(t)
	logs := ofSuffix(t, memory, ".log")
	log := logs[len(logs)-1]
	image := read(t, memory, log)
	image[5000] ^= 1 // about the eighth operation; the file was a longer log before
	write(t, memory, log, image)
	var found []Finding
	lost := 0
	number, _ := folder.LogNumber(log)
	o := &Opener{
		Storage: memory, Dir: dir, Options: options(memory), Marks: &Marks{}, Newest: number + 1,
		Report: func(f Finding) { found = append(found, f) }, Lose: func(events int) { lost += events },
	}
	file, err := memory.Open(path.Join(dir, log))
	must(t, err)
	file, err = o.Open(path.Join(dir, log), file)
	must(t, err)
	readable, err := io.ReadAll(file)
	must(t, errors.Join(err, file.Close()))
	if len(found) != 1 || found[0].File != log || !strings.Contains(found[0].Reason, "1 operations are missing") || lost != 0 {
		t.Errorf("found %+v, %d events are lost", found, lost)
	}
	if kept := read(t, memory, path.Join(folder.Damaged, log)); !bytes.Equal(kept, image) {
		t.Error("kept is another file")
	}
	write(t, memory, log, readable)
	got := entries(t, memory)
	differ := 0
	for key, value := range want {
		if got[key] != value {
			differ++
		}
	}
	if differ != 1 {
		t.Errorf("%d values are missing or older ones, want 1: one operation was damaged", differ)
	}
}

// TestWhatIsBehindTheMarkIsTorn damages the end of the newest log: whether that is damage depends on what was marked as synced.
func TestWhatIsBehindTheMarkIsTorn(t *testing.T) {
	t.Parallel()
	memory, _ := testStore(t)
	logs := ofSuffix(t, memory, ".log")
	log := logs[len(logs)-1]
	image := read(t, memory, log)
	image = image[:5000] // a chunk is torn; the ones before it say how much of them was synced
	write(t, memory, log, image)
	number, _ := folder.LogNumber(log)
	for size, damaged := range map[int64]bool{0: false, int64(len(image)) + 1: true} {
		marks, err := OpenMarks(memory, dir)
		must(t, err)
		marks.Synced(log)(size)
		o := &Opener{Storage: memory, Dir: dir, Marks: marks, Newest: number}
		file, err := memory.Open(path.Join(dir, log))
		must(t, err)
		synced, sound, err := o.survey(number, file)
		must(t, errors.Join(err, file.Close(), marks.Close()))
		if (sound < synced) != damaged {
			t.Errorf("marked up to %d: synced up to %d, sound up to %d", size, synced, sound)
		}
	}
}

// TestWhatCannotBeOpenedIsNamed damages the manifest and the options.
func TestWhatCannotBeOpenedIsNamed(t *testing.T) {
	t.Parallel()
	memory, _ := testStore(t)
	var found []Finding
	o := &Opener{
		Storage: memory, Dir: dir, Options: options(memory), Marks: &Marks{},
		Report: func(f Finding) { found = append(found, f) },
	}
	opened := func(name string) (vfs.File, error) {
		image := read(t, memory, name)
		image[len(image)/3] ^= 1
		write(t, memory, name, image)
		file, err := memory.Open(path.Join(dir, name))
		must(t, err)
		return o.Open(path.Join(dir, name), file)
	}
	for _, name := range names(t, memory) {
		switch {
		case strings.HasPrefix(name, "MANIFEST"):
			_, err := opened(name)
			damaged, is := errors.AsType[*Error](err)
			if !is || path.Base(damaged.File) != name || !strings.Contains(err.Error(), "mailvane journal salvage") {
				t.Errorf("%s: %v", name, err)
			}
		case folder.IsOptions(name):
			write(t, memory, name, []byte("[Version]\n  pebble_version=0.1\n\n[Options]\n  comparer=none\n"))
			file, err := opened(name)
			must(t, err)
			text, err := io.ReadAll(file)
			if err != nil || string(text) != o.Options.String() || len(found) != 1 || found[0].File != name {
				t.Errorf("%s: %.40q, %v, found %v", name, text, err, found)
			}
		}
	}
}

// TestMarks reads what was marked, as it was and with each byte damaged.
func TestMarks(t *testing.T) {
	t.Parallel()
	memory := vfs.NewMem()
	must(t, memory.MkdirAll(dir, 0o700))
	m, err := OpenMarks(memory, dir)
	must(t, err)
	m.Synced("000007.log")(100)
	m.Synced("000007.log")(200)
	m.Synced("000006.log")(900) // an older one
	m.Synced("MANIFEST-000003")(50)
	if m.Synced("000007.sst") != nil || (*Marks)(nil).Synced("000007.log") != nil {
		t.Error("it is asked for more than logs and manifests")
	}
	must(t, errors.Join(m.Close(), m.Close()))
	m.Synced("000007.log")(300) // the file is closed
	image := read(t, memory, markName)
	if want := "00000000000000070000000000000 0c8"; !strings.HasPrefix(fmt.Sprintf("%x", image), strings.ReplaceAll(want, " ", "")) {
		t.Errorf("the file holds %x, want that it begins with %s", image, want)
	}
	m, err = OpenMarks(memory, dir)
	must(t, errors.Join(err, m.Close()))
	if m.log.sizeIn(7) != 200 || m.manifest.sizeIn(3) != 50 || m.log.sizeIn(6) != 0 {
		t.Errorf("marked: %+v, %+v", m.log, m.manifest)
	}
	for at := range image {
		broken := bytes.Clone(image)
		broken[at] ^= 4
		write(t, memory, markName, broken)
		m, err := OpenMarks(memory, dir)
		must(t, errors.Join(err, m.Close()))
		if m.log != (position{}) || m.manifest != (position{}) {
			t.Errorf("byte %d: marked %+v, %+v", at, m.log, m.manifest)
		}
	}
}

func TestLosses(t *testing.T) {
	t.Parallel()
	memory := vfs.NewMem()
	must(t, memory.MkdirAll(path.Join(dir, folder.Damaged), 0o700))
	var l Losses
	l.FindKept(memory, dir)
	if text := l.Text(dir); text != "" || l.Deliveries() != nil {
		t.Errorf("nothing is damaged: %s, %v", text, l.Deliveries())
	}
	for n := range maxNamedFiles + 2 {
		write(t, memory, fmt.Sprintf("%s/00000%d.log", folder.Damaged, n), nil)
	}
	l.FindKept(memory, dir)
	l.Add("mail/a", 2)
	l.Add("mail/a", 1)
	l.Add("", 4)
	l.Add("mail/b", 0)
	if diff := cmp.Diff(map[string]int64{"mail/a": 3, "": 4}, l.Deliveries()); diff != "" {
		t.Error(diff)
	}
	if text := l.Text(dir); !strings.Contains(text, "000004.log and 2 more, kept in store/damaged (7 deliveries") {
		t.Error(text)
	}
	l.Suspect("b")
	l.Suspect("a")
	l.Suspect("b")
	if diff := cmp.Diff([]string{"a", "b"}, l.TakeSuspects()); diff != "" || l.TakeSuspects() != nil {
		t.Errorf("%s, and they are taken twice", diff)
	}
}

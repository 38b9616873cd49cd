package embedded_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/embedded"
	"github.com/mailvane/mailvane/receiver/journal/embedded/damage"
)

const (
	damageSinkA, damageSinkB = "mail/a", "mail/b"
	damageEvents             = 200
)

// damageSinks returns the sinks that the n-th event is owed to.
func damageSinks(n int) []string {
	switch n % 3 {
	case 0:
		return []string{damageSinkA}
	case 1:
		return []string{damageSinkA, damageSinkB}
	default:
		return []string{damageSinkB}
	}
}

func damagePayload(n int) []byte {
	rng := rand.New(rand.NewPCG(uint64(n), 1))
	payload := fmt.Appendf(nil, "%d ", n)
	for range (500 + rng.IntN(3000)) / 8 {
		payload = binary.LittleEndian.AppendUint64(payload, rng.Uint64())
	}
	return payload
}

// damagedStore is a store that holds everything above, in tables and logs, as it is found after a kill or after an orderly stop.
func damagedStore(t *testing.T, orderly bool) *vfs.MemFS {
	t.Helper()
	s := newStorage()
	s.change = func(o *embedded.Options) { o.MaxBytes = 8 << 20 } // small tables and logs
	j := s.open(t)
	for n := 0; n < damageEvents; {
		var b journal.Batch
		for range 1 + n%5 {
			id := fmt.Sprint(n)
			b.Entries = append(b.Entries, journal.Entry{DedupeKeys: []string{id}, OrderingKey: id, Sinks: damageSinks(n), Payload: damagePayload(n)})
			n++
		}
		if n%19 < 5 {
			b.DeadLetters = append(b.DeadLetters, journal.DeadLetter{Cause: journal.CauseUndecodable, EventID: "letter", Payload: []byte("{}"), At: time.Now()})
		}
		if _, err := j.Append(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	if !orderly {
		return s.fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: rand.New(rand.NewPCG(1, 1))})
	}
	closeJournal(t, j)
	return s.fs
}

// copyStore copies the files of a store to a file system of its own.
func copyStore(t *testing.T, from *vfs.MemFS) *storage {
	t.Helper()
	s := newStorage()
	s.change = func(o *embedded.Options) { o.MaxBytes = 64 << 20 }
	if err := s.fs.MkdirAll("/journal", 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range storeNames(t, from) {
		writeImage(t, s.fs, name, readImage(t, from, name))
	}
	return s
}

func storeNames(t *testing.T, fs vfs.FS) []string {
	t.Helper()
	names, err := fs.List("/journal")
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return slices.DeleteFunc(names, func(name string) bool { return name == "damaged" })
}

func readImage(t *testing.T, fs vfs.FS, name string) []byte {
	t.Helper()
	file, err := fs.Open(path.Join("/journal", name))
	if err != nil {
		t.Fatal(err)
	}
	image, err := io.ReadAll(file)
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
	return image
}

func writeImage(t *testing.T, fs vfs.FS, name string, image []byte) {
	t.Helper()
	file, err := fs.Create(path.Join("/journal", name), vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	_, err = file.Write(image)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		t.Fatal(err)
	}
}

// holdings are what a journal gives out.
type holdings struct {
	// deliveries are those of each sink.
	deliveries map[string]map[int]int
	letters    int
}

func (h *holdings) missing() (missing int) {
	for n := range damageEvents {
		for _, sink := range damageSinks(n) {
			if h.deliveries[sink][n] == 0 {
				missing++
			}
		}
	}
	return missing
}

// drain takes all that a journal owes, and checks that it is what was stored, for the sinks that it was for.
func drain(t *testing.T, j *embedded.Journal) holdings {
	t.Helper()
	h := holdings{deliveries: map[string]map[int]int{damageSinkA: {}, damageSinkB: {}}}
	deadline := time.Now().Add(30 * time.Second)
	for quiet := 0; quiet < 2; {
		if time.Now().After(deadline) {
			t.Fatalf("it does not end: %+v", j.Stats())
		}
		taken := 0
		for sink := range h.deliveries {
			taken += drainOne(t, j, sink, h.deliveries[sink])
		}
		if s := j.Stats(); taken > 0 || s.Problem != "" || s.Pending[damageSinkA]+s.Pending[damageSinkB] > 0 {
			quiet = 0
			continue
		}
		quiet++
	}
	letters, err := j.DeadLetters().List(t.Context(), 0, 1000)
	for err != nil && time.Now().Before(deadline) { // it found a damaged table and repairs it
		letters, err = j.DeadLetters().List(t.Context(), 0, 1000)
	}
	for _, l := range letters {
		full, err := j.DeadLetters().Get(t.Context(), l.ID)
		for errors.Is(err, journal.ErrUnavailable) && time.Now().Before(deadline) {
			full, err = j.DeadLetters().Get(t.Context(), l.ID)
		}
		if err == nil && string(full.Payload) == "{}" {
			h.letters++
		}
	}
	return h
}

func drainOne(t *testing.T, j *embedded.Journal, sink string, into map[int]int) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	deliveries, err := j.Queue(sink).Fetch(ctx, journal.Limit{Events: 1000})
	if err != nil {
		return 0
	}
	for _, d := range deliveries {
		var n int
		if _, err := fmt.Sscan(string(d.Payload), &n); err != nil || string(d.Payload) != string(damagePayload(n)) {
			t.Errorf("%s got %.20q, which was never stored", sink, d.Payload)
		}
		if !slices.Contains(damageSinks(n), sink) {
			t.Errorf("%s got %d, which is not for it", sink, n)
		}
		into[n]++
	}
	if err := j.Queue(sink).Settle(t.Context(), []journal.Settlement{{Deliveries: deliveries, Outcome: journal.Delivered}}); err != nil && !errors.Is(err, journal.ErrUnavailable) {
		t.Errorf("Settle: %v", err)
	}
	return len(deliveries)
}

// TestAnyByteMayBeDamaged flips a byte of each file of a store in turn, at places that a seed chooses. Whatever it is, what is missing is
// said, and the rest is there, or the journal names the file and what to do.
func TestAnyByteMayBeDamaged(t *testing.T) {
	t.Parallel()
	for name, orderly := range map[string]bool{"after a kill": false, "after an orderly stop": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := damagedStore(t, orderly)
			for _, file := range storeNames(t, store) {
				size := len(readImage(t, store, file))
				if size == 0 {
					continue
				}
				t.Run(file, func(t *testing.T) {
					t.Parallel()
					rng := rand.New(rand.NewPCG(uint64(size), 7))
					for range flips(file) {
						flipOne(t, store, file, rng.IntN(size), byte(1+rng.IntN(255)))
					}
				})
			}
		})
	}
}

// flips returns how many bytes of a file are flipped, each in a store of its own. One in a table takes long: Pebble looks which bit it
// might have been. Packages damage and folder flip many more, in each file by itself.
func flips(file string) int {
	switch {
	case strings.HasSuffix(file, ".sst"):
		return 2
	case strings.HasSuffix(file, ".log"), strings.HasPrefix(file, "MANIFEST"):
		return 6
	}
	return 3
}

func flipOne(t *testing.T, store *vfs.MemFS, file string, at int, bits byte) {
	t.Helper()
	s := copyStore(t, store)
	image := readImage(t, s.fs, file)
	image[at] ^= bits
	writeImage(t, s.fs, file, image)
	what := fmt.Sprintf("%s of %d bytes, byte %d ^ %#x", file, len(image), at, bits)
	salvageOne(t, s, what)
	j, err := embedded.Open(s.options())
	if err != nil {
		damaged, ok := errors.AsType[*damage.Error](err)
		if !ok || path.Base(damaged.File) != file || !strings.Contains(err.Error(), "mailvane journal salvage") {
			t.Errorf("%s: %v, want one that names the file and what to do", what, err)
		}
		return
	}
	h := drain(t, j)
	stats := j.Stats()
	if missing := h.missing(); missing > 0 && stats.Damage == "" {
		t.Errorf("%s: %d deliveries are missing, and nothing is said", what, missing)
	} else if missing > damageEvents/3 {
		t.Errorf("%s: %d deliveries are missing, and one byte can hold no more than a third", what, missing)
	}
	if _, err := j.Append(t.Context(), numberedBatch(damageEvents, 100)); err != nil {
		t.Errorf("%s: Append = %v", what, err)
	}
	closeJournal(t, j)
}

// salvageOne salvages a store: what is missing is said, the rest is there, and the old files are as they were.
func salvageOne(t *testing.T, s *storage, what string) {
	t.Helper()
	before := map[string]string{}
	for _, name := range storeNames(t, s.fs) {
		before[name] = string(readImage(t, s.fs, name))
	}
	o := s.options()
	found, err := embedded.Salvage("/journal", "/salvaged", o)
	if err != nil {
		t.Errorf("%s: Salvage = %v", what, err)
		return
	}
	for _, name := range storeNames(t, s.fs) {
		if before[name] != string(readImage(t, s.fs, name)) && name != "LOCK" {
			t.Errorf("%s: %s was changed", what, name)
		}
	}
	o.Dir = "/salvaged"
	j, err := embedded.Open(o)
	if err != nil {
		t.Errorf("%s: open what was salvaged: %v", what, err)
		return
	}
	h := drain(t, j)
	missing := h.missing()
	if missing > 0 && len(found.Damaged) == 0 || missing > damageEvents/3 {
		t.Errorf("%s: after it was salvaged %d deliveries are missing, found %+v", what, missing, found)
	}
	owed := 0
	for _, deliveries := range h.deliveries {
		owed += len(deliveries)
	}
	if int64(owed) != found.Owed[damageSinkA]+found.Owed[damageSinkB] || int64(h.letters) != found.DeadLetters || found.Events == 0 {
		t.Errorf("%s: %d deliveries and %d dead letters were salvaged, found %+v", what, owed, h.letters, found)
	}
	closeJournal(t, j)
}

func TestSalvageRefuses(t *testing.T) {
	t.Parallel()
	s := newStorage()
	s.open(t)
	writable := func() error { return s.fs.MkdirAll("/other/file", 0o700) }
	if err := writable(); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ from, to, want string }{
		"a store in use":      {"/journal", "/new", "another process"},
		"no store":            {"/other/file", "/new", "no journal"},
		"a folder with files": {"/other/file", "/other", "no journal"},
	} {
		if _, err := embedded.Salvage(test.from, test.to, s.options()); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
	closeJournal(t, s.last)
	if _, err := embedded.Salvage("/journal", "/other", s.options()); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("into a folder with files: %v", err)
	}
}

package embedded_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/history"
	"github.com/mailvane/mailvane/receiver/history/embedded"
	"github.com/mailvane/mailvane/receiver/history/historytest"
)

func fill(t *testing.T, s *embedded.Store, from, to int, change func(*event.Event)) {
	t.Helper()
	var b history.Batch
	for n := from; n < to; n++ {
		b.Events = append(b.Events, historytest.Event(n, change))
	}
	if err := s.Append(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

func count(t *testing.T, s *embedded.Store, q history.Query) (n int) {
	t.Helper()
	for {
		page, err := s.Search(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		n += len(page.Events)
		if page.Next == "" {
			return n
		}
		q.Cursor = page.Next
	}
}

// TestWhatIsTooOldGoes removes by a clock that does not jump, and with an event all that was kept of it.
func TestWhatIsTooOldGoes(t *testing.T) {
	t.Parallel()
	o := inMemory()
	var passed atomic.Int64
	o.Present = func() time.Time { return historytest.At().Add(time.Duration(passed.Load())) }
	s := open(t, o)
	fill(t, s, 0, 100, nil)
	if err := s.Append(t.Context(), history.Batch{Refusals: []history.Refusal{{At: historytest.At(), Endpoint: "mail/ee"}}}); err != nil {
		t.Fatal(err)
	}
	passed.Store(int64(71 * time.Hour))
	fill(t, s, 100, 150, nil)
	for _, step := range []struct {
		passed time.Duration
		left   int
	}{{71 * time.Hour, 150}, {73 * time.Hour, 50}, {150 * time.Hour, 0}} {
		passed.Store(int64(step.passed))
		if err := s.Trim(t.Context()); err != nil {
			t.Fatal(err)
		}
		refused, err := s.Refusals(t.Context(), 10)
		if n := count(t, s, history.Query{}); n != step.left || int(s.Stats().Events) != step.left || (len(refused) == 0) != (step.passed > 72*time.Hour) || err != nil {
			t.Errorf("after %v: %d events are left, %d are counted, %d refusals: %v", step.passed, n, s.Stats().Events, len(refused), err)
		}
		if n := count(t, s, history.Query{Recipient: "r7@example.com"}); (n == 1) != (step.left > 50) {
			t.Errorf("after %v: %d events are found by recipient", step.passed, n)
		}
	}
	fill(t, s, 150, 151, nil)
	if n := count(t, s, history.Query{Endpoint: "mail/ee"}); n != 1 {
		t.Errorf("%d events after all had gone", n)
	}
}

// TestAClockThatIsNotKnownRemovesNothing asks for a time that is not known yet, as that of a journal that could not be opened.
func TestAClockThatIsNotKnownRemovesNothing(t *testing.T) {
	t.Parallel()
	o := inMemory()
	o.Present = func() time.Time { return time.Time{} }
	s := open(t, o)
	fill(t, s, 0, 10, nil)
	if err := s.Trim(t.Context()); err != nil || count(t, s, history.Query{}) != 10 {
		t.Errorf("%d events are left: %v", count(t, s, history.Query{}), err)
	}
}

// TestAStoreOfALaterReleaseIsLeftAsItIs opens one: every byte stays, and the folder and the version are named.
func TestAStoreOfALaterReleaseIsLeftAsItIs(t *testing.T) {
	t.Parallel()
	o := inMemory()
	s := open(t, o)
	fill(t, s, 0, 10, nil)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, o.FS, "history/FORMAT", "2")
	before := files(t, o.FS)
	if _, err := embedded.Open(o); !errors.Is(err, history.ErrNewer) || !strings.Contains(err.Error(), `"2"`) || !strings.Contains(err.Error(), "history") {
		t.Errorf("%v", err)
	}
	if after := files(t, o.FS); after != before {
		t.Errorf("it was changed:\n%s\n%s", before, after)
	}
	write(t, o.FS, "history/FORMAT", "1")
	if n := count(t, open(t, o), history.Query{}); n != 10 {
		t.Errorf("%d events", n)
	}
}

func write(t *testing.T, fs vfs.FS, path, text string) {
	t.Helper()
	file, err := fs.Create(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
}

// files returns the names and the sizes of all files.
func files(t *testing.T, fs vfs.FS) (text string) {
	t.Helper()
	names, err := fs.List("history")
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	for _, name := range names {
		file, err := fs.Open("history/" + name)
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(file)
		if err != nil {
			t.Fatal(err)
		}
		_ = file.Close()
		text += fmt.Sprintln(name, len(content))
	}
	return text
}

// TestTheBoundIsKept keeps more than fits: the oldest goes, the newest is there, and the store is no larger than it may be for long.
func TestTheBoundIsKept(t *testing.T) {
	t.Parallel()
	o := inMemory()
	o.MaxBytes = embedded.MinMaxBytes
	s := open(t, o)
	random := rand.New(rand.NewPCG(1, 2))
	noise := func(e *event.Event) { // which no compression makes small
		bytes := make([]byte, 40_000)
		for i := range bytes {
			bytes[i] = 'a' + byte(random.IntN(26))
		}
		e.Raw = []byte(`"` + string(bytes) + `"`)
	}
	last := 0
	for ; last < 2500; last += 250 {
		fill(t, s, last, last+250, noise)
		s.Measure() // as a second later
	}
	if used := s.Stats().UsedBytes; used > o.MaxBytes+16<<20 {
		t.Errorf("%d bytes of %d are used", used, o.MaxBytes)
	}
	if count(t, s, history.Query{Message: "p0"}) != 0 || count(t, s, history.Query{Message: fmt.Sprintf("p%d", last-1)}) != 1 {
		t.Error("the oldest is there, or the newest is not")
	}
	if n := count(t, s, history.Query{}); n < 500 || n != int(s.Stats().Events) {
		t.Errorf("%d events are left, %d are counted", n, s.Stats().Events)
	}
}

// TestADiskThatIsFullIsSaid fails every write for a while: what is appended meanwhile is refused, what was kept stays, and it goes on by
// itself.
func TestADiskThatFailsEndsNothing(t *testing.T) {
	t.Parallel()
	o := inMemory()
	var failing atomic.Bool
	o.FS = errorfs.Wrap(o.FS, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if failing.Load() && op.Kind.ReadOrWrite() == errorfs.OpIsWrite {
			return errors.New("no space left on device")
		}
		return nil
	}))
	s := open(t, o)
	fill(t, s, 0, 10, nil)
	failing.Store(true)
	for range 3 {
		err := s.Append(t.Context(), history.Batch{Events: []history.Event{historytest.Event(10, nil)}})
		if err == nil || !strings.Contains(err.Error(), "no space left") || !strings.Contains(s.Stats().Problem, "no space left") {
			t.Errorf("%v, %q", err, s.Stats().Problem)
		}
	}
	failing.Store(false)
	s.Rest() // as some seconds later
	fill(t, s, 10, 12, nil)
	if n := count(t, s, history.Query{}); n != 12 || s.Stats().Problem != "" {
		t.Errorf("%d events, %q", n, s.Stats().Problem)
	}
}

// TestPowerCut keeps what was appended, and nothing of what was not.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	o := inMemory()
	disk := vfs.NewCrashableMem()
	o.FS = disk
	s := open(t, o)
	fill(t, s, 0, 100, nil)
	o.FS = disk.CrashClone(vfs.CrashCloneCfg{})
	if n := count(t, open(t, o), history.Query{}); n != 100 {
		t.Errorf("%d events", n)
	}
}

// TestWhatIsNoEventIsLeftOut appends garbage beside an event.
func TestWhatIsNoEventIsLeftOut(t *testing.T) {
	t.Parallel()
	s := open(t, inMemory())
	b := history.Batch{Events: []history.Event{{Payload: []byte("garbage")}, historytest.Event(0, nil), {}}}
	if err := s.Append(t.Context(), b); err != nil || count(t, s, history.Query{}) != 1 {
		t.Errorf("%v", err)
	}
}

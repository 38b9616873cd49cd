package space

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/mailvane/mailvane/receiver/journal"
)

const limit = 1000

// store counts how often it is asked.
type store struct {
	usage Usage
	asked int
}

// Usage implements Source.
func (s *store) Usage() Usage { s.asked++; return s.usage }

// newAccount returns one of a journal that may take 1,000 bytes and leaves 100 free, with a clock.
func newAccount(log *bytes.Buffer) (a *Account, now *time.Time) {
	at := time.Unix(1_700_000_000, 0)
	return New(Limits{MaxBytes: limit, MinFreeBytes: 100}, func() time.Time { return at }, slog.New(slog.NewTextHandler(log, nil))), &at
}

func request(size int64) Request { return Request{Appending: journal.Appending{Size: size}} }

// TestAdmit asks for room for one request.
func TestAdmit(t *testing.T) {
	t.Parallel()
	unverified := request(1)
	unverified.Unverified = true
	letters := request(10)
	letters.LetterBytes = 10
	for name, test := range map[string]struct {
		usage       Usage
		request     Request
		letterBytes int64
		want        error
		problem     string
	}{
		"an empty one":                             {Usage{Free: -1}, request(333), 0, nil, ""},
		"it is written three times":                {Usage{Free: -1}, request(334), 0, journal.ErrFull, "the journal is full: it may take 1000 bytes"},
		"what is in a log goes to two tables":      {Usage{Used: 300, Unflushed: 300, Free: -1}, request(34), 0, journal.ErrFull, "full"},
		"tables are merged":                        {Usage{Used: 500, Merging: 400, Free: -1}, request(34), 0, journal.ErrFull, "full"},
		"enough is free":                           {Usage{Free: 100}, request(1), 0, nil, ""},
		"little is free":                           {Usage{Free: 99}, request(1), 0, journal.ErrFull, "less than 100 bytes left"},
		"the last dead letters of their share":     {Usage{Free: -1}, letters, 240, nil, ""},
		"dead letters beyond their share":          {Usage{Free: -1}, letters, 241, journal.ErrDeadLetters, ""},
		"the first dead letter, however large":     {Usage{Free: -1}, Request{Appending: journal.Appending{Size: 330}, LetterBytes: 330}, 0, nil, ""},
		"strangers in an empty one":                {Usage{Used: 100, Free: -1}, unverified, 0, nil, ""},
		"strangers where an eighth is taken":       {Usage{Used: 126, Free: -1}, unverified, 0, journal.ErrShare, ""},
		"strangers, and logs that hold little":     {Usage{Used: 400, Logs: 390, Unflushed: 10, Free: -1}, unverified, 0, nil, ""},
		"others where strangers have no room left": {Usage{Used: 500, Free: -1}, request(1), 0, nil, ""},
	} {
		a, _ := newAccount(&bytes.Buffer{})
		if err := a.Admit(&store{usage: test.usage}, test.request, test.letterBytes); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
		if problem := a.Problem(); (problem == "") != (test.problem == "") || !strings.Contains(problem, test.problem) {
			t.Errorf("%s: problem %q, want %q", name, problem, test.problem)
		}
	}
}

// TestTheStoreIsAskedNowAndThen counts on between two samples.
func TestTheStoreIsAskedNowAndThen(t *testing.T) {
	t.Parallel()
	a, now := newAccount(&bytes.Buffer{})
	s := &store{usage: Usage{Used: 100, Free: -1}}
	want := func(bytes int64, asked int) {
		t.Helper()
		if used, lacking := a.Measure(s); used != bytes || lacking || s.asked != asked {
			t.Errorf("%d bytes are taken, lacking %v, asked %d times, want %d and %d", used, lacking, s.asked, bytes, asked)
		}
	}
	want(100, 1)
	a.Add(50)
	*now = now.Add(sampleInterval - 1)
	want(150, 1)
	*now = now.Add(1)
	want(100, 2)
	a.Forget()
	want(100, 3)
	*now = now.Add(-time.Hour) // a clock that is set back
	want(100, 4)
	a.Add(300) // of which two tables will hold copies
	if err := a.Admit(s, request(1), 0); !errors.Is(err, journal.ErrFull) {
		t.Errorf("after so much was written: %v", err)
	}
}

// TestDeadLettersThatFindNoRoom are logged once, and warned of as long as there is no room.
func TestDeadLettersThatFindNoRoom(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	a, _ := newAccount(&log)
	s := &store{usage: Usage{Free: -1}}
	letters := request(100)
	letters.LetterBytes = 100
	if a.Warning(1000) != "" {
		t.Error("warned although none was refused")
	}
	for range 3 {
		if err := a.Admit(s, letters, 200); !errors.Is(err, journal.ErrDeadLetters) {
			t.Fatal(err)
		}
	}
	if a.Warning(200) != journal.NoRoomForDeadLetters || a.Warning(150) != "" || a.Warning(200) != "" {
		t.Error("warned at another time than while there is no room for what was refused last")
	}
	if lines := strings.Count(log.String(), "\n"); lines != 1 {
		t.Errorf("logged %d times", lines)
	}
}

// TestDeletions merges them in an order that is not that of their numbers.
func TestDeletions(t *testing.T) {
	t.Parallel()
	var all, some, none Deletions
	if _, _, ok := all.Take(); ok {
		t.Error("there are some before there were any")
	}
	some.Add(7, 10)
	some.Add(5, 1)
	all.Merge(&some)
	all.Merge(&none)
	var more Deletions
	more.Add(9, 1)
	all.Merge(&more)
	if first, last, ok := all.Take(); first != 5 || last != 9 || !ok {
		t.Errorf("from %d to %d, %v", first, last, ok)
	}
	if _, _, ok := all.Take(); ok {
		t.Error("they are taken twice")
	}
	all.Merge(&more)
	if first, last, _ := all.Take(); first != 9 || last != 9 {
		t.Errorf("from %d to %d after others were taken", first, last)
	}
}

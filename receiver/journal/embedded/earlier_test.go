package embedded_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/embedded"
)

// writeStore has TestWriteStore write the store of the present format.
var writeStore = flag.String("write-store", "", "the folder to write a store of the present format to")

const earlierA, earlierB = "mail/a", "mail/b"

func earlierTime() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }

func openEarlier(t *testing.T, storage vfs.FS) *embedded.Journal {
	t.Helper()
	j, err := embedded.Open(embedded.Options{
		Dir: "store", FS: storage, MaxBytes: 8 << 20, MinFreeBytes: -1, Logger: slog.New(slog.DiscardHandler), Now: earlierTime,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() }) //nolint:errcheck // the tests that care close it themselves
	return j
}

func earlierEntry(id string, sinks ...string) journal.Entry {
	return journal.Entry{
		DedupeKeys: []string{"key " + id}, OrderingKey: "order " + id, Sinks: sinks, AcceptedAt: earlierTime(),
		Payload: fmt.Appendf(nil, "event %s %s", id, strings.Repeat("which is like the others ", 8)),
	}
}

// fillEarlier stores something of every kind, first in tables and then in a log.
func fillEarlier(t *testing.T, storage vfs.FS) {
	t.Helper()
	j := openEarlier(t, storage)
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	add := func(j *embedded.Journal, b journal.Batch) {
		t.Helper()
		_, err := j.Append(t.Context(), b)
		do(err)
	}
	add(j, journal.Batch{
		Entries: []journal.Entry{earlierEntry("0", earlierA), earlierEntry("1", earlierA, earlierB), earlierEntry("2", earlierB)},
		DeadLetters: []journal.DeadLetter{{
			Cause: journal.CauseUndecodable, Reason: "no JSON", Endpoint: "mail/in", At: earlierTime(), Header: map[string]string{"A": "1"}, Payload: []byte("{"),
		}},
	})
	alike := journal.Batch{Alike: true}
	for n := range 20 {
		alike.Entries = append(alike.Entries, earlierEntry(fmt.Sprint("alike ", n), earlierA, earlierB))
	}
	add(j, alike)
	fetch := func(sink string, count int) []journal.Delivery {
		t.Helper()
		deliveries, err := j.Queue(sink).Fetch(t.Context(), journal.Limit{Events: count})
		do(err)
		return deliveries
	}
	ofA := fetch(earlierA, 2)
	do(j.Queue(earlierA).Settle(t.Context(), []journal.Settlement{
		{Deliveries: ofA[:1]}, {Deliveries: ofA[1:], Outcome: journal.Retry, At: earlierTime().Add(time.Hour)},
	}))
	do(j.Queue(earlierB).Settle(t.Context(), []journal.Settlement{{
		Deliveries: fetch(earlierB, 1), Outcome: journal.Dead,
		DeadLetter: &journal.DeadLetter{Cause: journal.CauseRefused, Reason: "550 no", EventID: "1", At: earlierTime()},
	}}))
	do(j.Close())
	j = openEarlier(t, storage)
	add(j, journal.Batch{Entries: []journal.Entry{earlierEntry("3", earlierA), earlierEntry("4", earlierA, earlierB)}})
}

// TestWriteStore writes testdata/format4 anew, as it is after a kill, if it is told to: go test -run TestWriteStore -write-store=FOLDER.
func TestWriteStore(t *testing.T) {
	if *writeStore == "" {
		t.Skip("it is not told to")
	}
	memory := vfs.NewMem()
	fillEarlier(t, memory)
	if _, err := vfs.Clone(memory, vfs.Default, "store", *writeStore); err != nil {
		t.Fatal(err)
	}
}

// TestStoresOfEarlierReleasesAreRead opens stores that earlier code has written: what is owed, with its attempts, the dead letters and the
// dedupe keys are there, before and after another opening.
func TestStoresOfEarlierReleasesAreRead(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"format3", "format4"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			memory := vfs.NewMem()
			if ok, err := vfs.Clone(vfs.Default, memory, filepath.Join("testdata", name), "store"); err != nil || !ok {
				t.Fatalf("%v, %v", ok, err)
			}
			for opening := range 2 {
				j := openEarlier(t, memory)
				if err := j.Recall(); err != nil { // all is counted then
					t.Fatal(err)
				}
				checkEarlier(t, j, opening)
				if err := j.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func checkEarlier(t *testing.T, j *embedded.Journal, opening int) {
	t.Helper()
	want := map[string]map[string]int{earlierA: {"1": 1, "3": 0, "4": 0}, earlierB: {"2": 0, "4": 0}}
	for n := range 20 {
		for _, attempts := range want {
			attempts[fmt.Sprint("alike ", n)] = 0
		}
	}
	for sink, attempts := range want {
		if n := j.Stats().Pending[sink]; n != int64(len(attempts)) {
			t.Errorf("%s: %d are owed, want %d", sink, n, len(attempts))
		}
		got := map[string]int{}
		for len(got) < len(attempts) && !t.Failed() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			deliveries, err := j.Queue(sink).Fetch(ctx, journal.Limit{Events: 100})
			cancel()
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range deliveries {
				id := strings.TrimPrefix(d.OrderingKey, "order ")
				got[id] = d.Attempts
				if e := earlierEntry(id); !bytes.Equal(d.Payload, e.Payload) || !d.AcceptedAt.Equal(e.AcceptedAt) {
					t.Errorf("%s: %s is %.30q, accepted at %v", sink, id, d.Payload, d.AcceptedAt)
				}
			}
		}
		if diff := cmp.Diff(attempts, got); diff != "" {
			t.Errorf("%s: attempts %s", sink, diff)
		}
	}
	checkEarlierLetters(t, j)
	for id, duplicates := range map[string]int{"0": 1, "4": 1, "alike 19": 1, fmt.Sprint("new ", opening): 0} {
		receipt, err := j.Append(t.Context(), journal.Batch{Entries: []journal.Entry{{DedupeKeys: []string{"key " + id}}}})
		if err != nil || receipt.Duplicates != duplicates {
			t.Errorf("%s: %+v, %v, want %d duplicates", id, receipt, err, duplicates)
		}
	}
}

func checkEarlierLetters(t *testing.T, j *embedded.Journal) {
	t.Helper()
	letters, err := j.DeadLetters().List(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i := range letters {
		l, err := j.DeadLetters().Get(t.Context(), letters[i].ID)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%s, %s, %s, %s, %d, %s, %.8s", l.Cause, l.Reason, l.Endpoint+l.Sink, l.EventID, l.Attempts, slices.Collect(maps.Keys(l.Header)), l.Payload))
	}
	want := []string{"Undecodable, no JSON, mail/in, , 0, [A], {", "Refused, 550 no, mail/b, 1, 1, [], event 1 "}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

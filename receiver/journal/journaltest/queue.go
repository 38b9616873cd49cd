package journaltest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/journal"
)

// d0 is a time that has come.
var d0 time.Time

func queuePromises() []promise {
	return []promise{
		{"deliveries come oldest first", oldestFirst},
		{"every sink has a cursor of its own", ownCursor},
		{"an entry goes to the sinks that it is owed to", onlyOwed},
		{"a fetch keeps to its limits", limits},
		{"a lease lasts until it is settled", leaseLasts},
		{"a second settlement changes nothing", settleTwice},
		{"settlements of which one says nothing are refused", settleUnknown},
		{"what was leased is delivered again after a restart", leasedAgain},
		{"what was settled is not delivered again after a restart", settledIsGone},
		{"what has no consumer stays", staysWithoutConsumer},
		{"fetch waits for an append", fetchWaits},
		{"close wakes a fetch", closeWakes},
		{"a closed journal ends fetches", closedEnds},
		{"the statistics tell the oldest", oldestAccepted},
		{"the history is told which sinks an entry was owed to", historyIsTold},
	}
}

// historyIsTold appends entries for different sinks in one batch, delivers some of them, and reads them as the history does, also after a restart.
func historyIsTold(t *testing.T, h Harness) {
	j := h.Open(t)
	mustAppend(t, j, journal.Batch{Entries: []journal.Entry{
		entry(0, journal.History), entry(1, sinkA, journal.History), entry(2, journal.History, sinkB, sinkA), entry(3, sinkB), entry(4, sinkB, journal.History),
	}})
	delivered(t, j, sinkA, fetchAll(t, j, sinkA, 2)...)
	want := map[string]string{"payload-0": "", "payload-1": sinkA, "payload-2": sinkA + " " + sinkB, "payload-4": sinkB}
	for range 2 {
		got := map[string]string{}
		for _, d := range fetchAll(t, j, journal.History, 4) {
			sinks := slices.Sorted(slices.Values(d.Sinks))
			if got[string(d.Payload)] = strings.Join(sinks, " "); !d.SinksKnown {
				t.Errorf("the sinks of %s are not known", d.Payload)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		j = h.Open(t)
	}
	for _, d := range fetchAll(t, j, sinkB, 3) {
		if d.SinksKnown || d.Sinks != nil {
			t.Errorf("a sink is told of others: %v", d.Sinks)
		}
	}
}

func oldestFirst(t *testing.T, h Harness) {
	j := h.Open(t)
	for n := range 5 {
		mustAppend(t, j, entries(4*n, 4, sinkA))
	}
	got := fetchAll(t, j, sinkA, 20)
	if diff := cmp.Diff(numbered(0, 20), payloads(got)); diff != "" {
		t.Error(diff)
	}
	for i := 1; i < len(got); i++ {
		if got[i].Sequence <= got[i-1].Sequence {
			t.Errorf("sequence %d follows %d", got[i].Sequence, got[i-1].Sequence)
		}
	}
}

func ownCursor(t *testing.T, h Harness) {
	j := h.Open(t)
	mustAppend(t, j, entries(0, 10, sinkA, sinkB))
	delivered(t, j, sinkA, fetchAll(t, j, sinkA, 10)...)
	wantNothing(t, j, sinkA)
	if diff := cmp.Diff(numbered(0, 10), payloads(fetchAll(t, j, sinkB, 10))); diff != "" {
		t.Error(diff)
	}
}

func onlyOwed(t *testing.T, h Harness) {
	j := h.Open(t)
	mustAppend(t, j, journal.Batch{Entries: []journal.Entry{entry(0, sinkA), entry(1, sinkB), entry(2, sinkA)}})
	if diff := cmp.Diff([]string{"payload-0", "payload-2"}, payloads(fetchAll(t, j, sinkA, 2))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"payload-1"}, payloads(fetch(t, j, sinkB, 10))); diff != "" {
		t.Error(diff)
	}
}

func limits(t *testing.T, h Harness) {
	j := h.Open(t)
	mustAppend(t, j, entries(0, 12, sinkA))
	size := len("payload-0")
	var all []string
	for n := 0; len(all) < 12; n++ {
		step := []struct {
			limit journal.Limit
			most  int
		}{
			{journal.Limit{Events: 2}, 2},
			{journal.Limit{Events: 10, Bytes: 2*size + 1}, 2},
			{journal.Limit{Events: 10, Bytes: 1}, 1},
		}[n%3]
		got, err := j.Queue(sinkA).Fetch(t.Context(), step.limit)
		least := step.most
		if h.Lags {
			least = 1
		}
		if err != nil || len(got) < least || len(got) > step.most {
			t.Fatalf("Fetch(%+v) = %v, %v, want %d to %d", step.limit, payloads(got), err, least, step.most)
		}
		all = append(all, payloads(got)...)
	}
	if diff := cmp.Diff(numbered(0, 12), all); diff != "" {
		t.Error(diff)
	}
}

func leaseLasts(t *testing.T, h Harness) {
	j := h.Open(t)
	mustAppend(t, j, entries(0, 2, sinkA))
	first := fetch(t, j, sinkA, 1)
	second := fetch(t, j, sinkA, 10)
	if diff := cmp.Diff(numbered(1, 1), payloads(second)); diff != "" {
		t.Error(diff)
	}
	wantNothing(t, j, sinkA)
	retryAt(t, j, sinkA, d0, first...)
	if diff := cmp.Diff(numbered(0, 1), payloads(fetch(t, j, sinkA, 10))); diff != "" {
		t.Error(diff)
	}
}

func settleTwice(t *testing.T, h Harness) {
	j := h.Open(t)
	mustAppend(t, j, entries(0, 2, sinkA))
	first := fetch(t, j, sinkA, 1)
	delivered(t, j, sinkA, append(first, first...)...)
	retryAt(t, j, sinkA, d0, first...)
	if diff := cmp.Diff(numbered(1, 1), payloads(fetch(t, j, sinkA, 10))); diff != "" {
		t.Error(diff)
	}
	h.shows(t, "one is pending", func() bool { return j.Stats().Pending[sinkA] == 1 })
}

func settleUnknown(t *testing.T, h Harness) {
	j := h.Open(t)
	mustAppend(t, j, entries(0, 2, sinkA))
	leased := fetchAll(t, j, sinkA, 2)
	for name, wrong := range map[string]journal.Settlement{
		"no such outcome":            {Deliveries: leased[1:], Outcome: journal.Dead + 1},
		"dead without a dead letter": {Deliveries: leased[1:], Outcome: journal.Dead},
		"dead as one":                {Deliveries: leased, Outcome: journal.Dead, DeadLetter: &journal.DeadLetter{}},
		"nothing dead":               {Outcome: journal.Dead, DeadLetter: &journal.DeadLetter{}},
	} {
		err := j.Queue(sinkA).Settle(t.Context(), []journal.Settlement{{Deliveries: leased[:1]}, wrong})
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	retryAt(t, j, sinkA, d0, leased...)
	if diff := cmp.Diff(numbered(0, 2), payloads(fetchAll(t, j, sinkA, 2))); diff != "" {
		t.Error(diff)
	}
}

func leasedAgain(t *testing.T, h Harness) {
	j := h.Open(t)
	mustAppend(t, j, entries(0, 4, sinkA))
	fetchAll(t, j, sinkA, 3)
	mustClose(t, j)
	j = h.Open(t)
	if diff := cmp.Diff(numbered(0, 4), payloads(fetchAll(t, j, sinkA, 4))); diff != "" {
		t.Error(diff)
	}
}

func settledIsGone(t *testing.T, h Harness) {
	j := h.Open(t)
	mustAppend(t, j, entries(0, 4, sinkA, sinkB))
	delivered(t, j, sinkA, fetchAll(t, j, sinkA, 2)...)
	mustClose(t, j)
	j = h.Open(t)
	if diff := cmp.Diff(numbered(2, 2), payloads(fetchAll(t, j, sinkA, 2))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(numbered(0, 4), payloads(fetchAll(t, j, sinkB, 4))); diff != "" {
		t.Error(diff)
	}
}

func staysWithoutConsumer(t *testing.T, h Harness) {
	j := h.Open(t)
	mustAppend(t, j, entries(0, 2, "mail/removed", sinkA))
	delivered(t, j, sinkA, fetchAll(t, j, sinkA, 2)...)
	mustClose(t, j)
	j = h.Open(t)
	if diff := cmp.Diff(numbered(0, 2), payloads(fetchAll(t, j, "mail/removed", 2))); diff != "" {
		t.Error(diff)
	}
}

func fetchWaits(t *testing.T, h Harness) {
	j := h.Open(t)
	fetched := make(chan error, 1)
	go func() {
		_, err := j.Queue(sinkA).Fetch(t.Context(), journal.Limit{Events: 1})
		fetched <- err
	}()
	mustAppend(t, j, entries(0, 1, sinkA))
	wantSoon(t, fetched, nil)
}

func closeWakes(t *testing.T, h Harness) {
	j := h.Open(t)
	fetched := make(chan error, 1)
	go func() {
		_, err := j.Queue(sinkA).Fetch(t.Context(), journal.Limit{Events: 1})
		fetched <- err
	}()
	mustClose(t, j)
	wantSoon(t, fetched, journal.ErrClosed)
}

func wantSoon(t *testing.T, result <-chan error, want error) {
	t.Helper()
	select {
	case err := <-result:
		if !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	case <-time.After(patience):
		t.Errorf("no answer in %v", patience)
	}
}

func closedEnds(t *testing.T, h Harness) {
	j := h.Open(t)
	mustAppend(t, j, entries(0, 1, sinkA))
	mustClose(t, j)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if _, err := j.Queue(sinkA).Fetch(ctx, journal.Limit{Events: 1}); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("Fetch = %v, want ErrClosed", err)
	}
}

func oldestAccepted(t *testing.T, h Harness) {
	j := h.Open(t)
	if at, ok := j.Stats().OldestAccepted[sinkA]; ok {
		t.Errorf("oldest of an empty queue = %v", at)
	}
	mustAppend(t, j, entries(0, 3, sinkA))
	got := fetchAll(t, j, sinkA, 3)
	delivered(t, j, sinkA, got[0])
	retryAt(t, j, sinkA, time.Now().Add(time.Hour), got[1])
	h.shows(t, "the second is the oldest", func() bool { return j.Stats().OldestAccepted[sinkA].Equal(entry(1).AcceptedAt) })
}

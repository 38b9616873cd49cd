package main

import (
	"bytes"
	"regexp"
	"testing"
)

// TestAShortRun tortures for a few seconds, so that every change meets it; "make torture" takes its time.
func TestAShortRun(t *testing.T) {
	for _, journal := range []string{embeddedJournal, jetstreamJournal} {
		t.Run(journal, func(t *testing.T) {
			var out bytes.Buffer
			if status := run([]string{"-minutes", "0.1", "-senders", "4", "-journal", journal}, &out); status != 0 {
				t.Fatalf("status %d:\n%s", status, out.String())
			}
			if !regexp.MustCompile(`(?m)^acked=[1-9]\d* delivered=[1-9]\d* lost=0 unfound=0 duplicates=\d+ recovered_in=[\d.]+\n\z`).Match(out.Bytes()) ||
				!regexp.MustCompile(`(?m)^[1-9]\d* kills`).Match(out.Bytes()) {
				t.Errorf("nothing was sent, or nobody was killed:\n%s", out.String())
			}
		})
	}
}

func TestTheLedgerSeesLosses(t *testing.T) {
	t.Parallel()
	l := newLedger("a", "b")
	for e := range 3 {
		l.ack(e)
	}
	l.arrive("a", []int{0, 1, 2, 2})
	l.arrive("b", []int{0, 2, 7}) // 7 was stored, but the answer did not arrive
	got := l.settle()
	if got.acked != 3 || got.delivered != 2 || got.lost != 1 || got.duplicates != 1 || len(got.missing) != 1 || got.missing[0] != "event 1 at b" || got.owed["b"] != 1 {
		t.Errorf("%+v", got)
	}
}

func TestTheLedgerSeesWhatTheHistoryMisses(t *testing.T) {
	t.Parallel()
	l := newLedger("a")
	for e := range 3 {
		l.ack(e)
	}
	count, some := l.missingFrom(map[int]struct{}{0: {}, 2: {}, 7: {}})
	if count != 1 || len(some) != 1 || some[0] != "event 1 in the history" {
		t.Errorf("%d %v", count, some)
	}
}

func TestBadArguments(t *testing.T) {
	t.Parallel()
	for _, arguments := range [][]string{{"-minutes", "0"}, {"-minutes", "601"}, {"-senders", "0"}, {"-journal", "paper"}} {
		var out bytes.Buffer
		if status := run(arguments, &out); status != 2 || out.Len() == 0 {
			t.Errorf("%v: status %d, %q", arguments, status, out.String())
		}
	}
}

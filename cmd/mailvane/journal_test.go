package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/journal/embedded"
)

// TestSalvage damages the manifest of a journal, which cannot be opened then, and makes a new one of it.
func TestSalvage(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	dir := filepath.Join(data, "journal")
	j, err := embedded.Open(embedded.Options{Dir: dir, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	entry := journal.Entry{Sinks: []string{"mail/crm"}, Payload: []byte("{}")}
	letter := journal.DeadLetter{Cause: journal.CauseUndecodable, Payload: []byte("?")}
	if _, err := j.Append(t.Context(), journal.Batch{Entries: []journal.Entry{entry}, DeadLetters: []journal.DeadLetter{letter}}); err != nil {
		t.Fatal(err)
	}
	if out, status := mailvane(t, "journal", "salvage", data); status != 1 || !strings.Contains(out, "open") {
		t.Errorf("with the journal in use: status %d, %s", status, out)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	manifests, err := filepath.Glob(filepath.Join(dir, "MANIFEST-*"))
	if err != nil || len(manifests) == 0 {
		t.Fatalf("%v, %v", manifests, err)
	}
	for _, name := range manifests {
		image, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		image[len(image)/2] ^= 1
		if err := os.WriteFile(name, image, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := embedded.Open(embedded.Options{Dir: dir, Logger: slog.New(slog.DiscardHandler)}); err == nil || !strings.Contains(err.Error(), "mailvane journal salvage") {
		t.Errorf("Open = %v, want what to do", err)
	}
	out, status := mailvane(t, "journal", "salvage", data, "--to", filepath.Join(data, "new"))
	for _, want := range []string{"1 events, 1 dead letters", "owed to mail/crm: 1"} {
		if status != 0 || !strings.Contains(out, want) {
			t.Errorf("status %d, %s, want %q", status, out, want)
		}
	}
}

package app_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mailvane/mailvane/receiver/config"
)

// TestAChangeDuringTheFirstLoadIsNoticed has a kubelet that swaps the mounted Secret when the receiver has just read it.
func TestAChangeDuringTheFirstLoadIsNoticed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "config.json")
	writeFile(t, path, "old")
	r := start(t, vfs.NewCrashableMem())
	err := r.Follow(t.Context(), path, func() (*config.Config, error) {
		text, err := os.ReadFile(path)
		if string(text) == "new" {
			return configuration(), err
		}
		writeFile(t, path, "new")
		return &config.Config{Version: config.Version}, err
	})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the new configuration is in force", func() bool { return r.post("first") == http.StatusOK })
}

// TestAChangeIsNoticedInABusyFolder writes something else to the folder all the time, as a sink may.
func TestAChangeIsNoticedInABusyFolder(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "config.json")
	writeFile(t, path, "old")
	r := start(t, vfs.NewCrashableMem())
	err := r.Follow(t.Context(), path, func() (*config.Config, error) {
		text, err := os.ReadFile(path)
		if string(text) == "new" {
			return configuration(), err
		}
		return &config.Config{Version: config.Version}, err
	})
	if err != nil {
		t.Fatal(err)
	}
	var writer sync.WaitGroup
	defer writer.Wait()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	writer.Go(func() {
		for ctx.Err() == nil {
			writeFile(t, filepath.Join(folder, "events.jsonl"), "{}")
			time.Sleep(time.Millisecond)
		}
	})
	writeFile(t, path, "new")
	eventually(t, "the new configuration is in force", func() bool { return r.post("first") == http.StatusOK })
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

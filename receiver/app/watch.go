package app

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// settleDelay is how long a folder must be quiet before it is read again: editors and the kubelet write in several steps.
	settleDelay = 100 * time.Millisecond
	// maxSettle bounds the wait for quiet: something else may be written to the folder all the time.
	maxSettle = 2 * time.Second
	// rereadInterval is how often the folder is read even without a notice, for file systems that give none.
	rereadInterval = time.Minute
)

// newWatcher watches for changes in a folder, or of a file. It also sees the kubelet swap a mounted Secret.
func newWatcher(path string) (*fsnotify.Watcher, error) {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("watch %s: %w", path, err)
	}
	if err := watcher.Add(folderOf(path)); err != nil {
		_ = watcher.Close() // nothing was watched
		return nil, fmt.Errorf("watch %s: %w", path, err)
	}
	return watcher, nil
}

// folderOf returns the folder to watch: a file is replaced rather than written by many editors, which ends a watch of the file itself.
func folderOf(path string) string {
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		return filepath.Dir(path)
	}
	return filepath.Clean(path)
}

// follow calls reload after every change until ctx ends, and closes the watcher.
func follow(ctx context.Context, watcher *fsnotify.Watcher, log *slog.Logger, reload func()) {
	defer func() { _ = watcher.Close() }() // nothing is lost with it
	quiet := time.NewTimer(rereadInterval)
	defer quiet.Stop()
	var since time.Time // the first change that was not read; zero = none
	noticed := func() {
		if since.IsZero() {
			since = time.Now()
		}
		quiet.Reset(min(settleDelay, time.Until(since.Add(maxSettle))))
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-watcher.Events:
			noticed()
		case err := <-watcher.Errors:
			log.Warn("a change may have been missed; the folder is read again", "error", err)
			noticed()
		case <-quiet.C:
			since = time.Time{}
			reload()
			quiet.Reset(rereadInterval)
		}
	}
}

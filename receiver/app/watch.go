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
	for {
		select {
		case <-ctx.Done():
			return
		case <-watcher.Events:
			quiet.Reset(settleDelay)
		case err := <-watcher.Errors:
			log.Warn("a change may have been missed; the folder is read again", "error", err)
			quiet.Reset(settleDelay)
		case <-quiet.C:
			reload()
			quiet.Reset(rereadInterval)
		}
	}
}

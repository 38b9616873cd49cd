package app

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	"github.com/mailvane/mailvane/receiver/config"
)

// Follow applies what load returns, now and after every change at path (a folder or a file) until ctx ends. An error at first is returned; later
// ones are logged, and the last good configuration stays in force.
func (r *Receiver) Follow(ctx context.Context, path string, load func() (*config.Config, error)) error {
	f := &follower{receiver: r, load: load}
	// What changes while the first configuration is loaded must be noticed, too.
	watcher, unwatched := newWatcher(path)
	_, unloaded := f.step(ctx)
	if err := cmp.Or(unloaded, unwatched); err != nil {
		if watcher != nil {
			_ = watcher.Close() // nothing follows
		}
		return err
	}
	go follow(ctx, watcher, r.options.Logger, func() { f.reload(ctx) })
	return nil
}

type follower struct {
	receiver *Receiver
	load     func() (*config.Config, error)
	last     []byte // what was applied or refused last
}

func (f *follower) reload(ctx context.Context) {
	changed, err := f.step(ctx)
	switch {
	case err != nil && changed:
		f.receiver.options.Logger.Error("configuration not loaded; the last good one stays in force", "error", err)
	case changed:
		f.receiver.options.Logger.Info("configuration loaded")
	}
}

// step loads once and applies what is new. changed is false when it is what was seen last.
func (f *follower) step(ctx context.Context) (changed bool, err error) {
	cfg, err := f.load()
	if err != nil {
		return f.remember([]byte(err.Error())), err
	}
	document, err := json.Marshal(cfg)
	if err != nil {
		return true, fmt.Errorf("encode configuration: %w", err)
	}
	if !f.remember(document) {
		return false, nil
	}
	return true, f.receiver.Apply(ctx, cfg)
}

func (f *follower) remember(seen []byte) (changed bool) {
	changed = !bytes.Equal(seen, f.last)
	f.last = seen
	return changed
}

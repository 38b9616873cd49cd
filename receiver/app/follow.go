package app

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/mailvane/mailvane/receiver/config"
)

// Follow applies what load returns, now and after every change at path (a folder or a file) until ctx ends. An error at first is returned; later
// ones are logged, and the last good configuration stays in force.
func (r *Receiver) Follow(ctx context.Context, path string, load func() (*config.Config, error)) error {
	f := &follower{receiver: r, load: load}
	// What changes while the first configuration is loaded must be noticed, too.
	watcher, unwatched := newWatcher(path)
	unloaded := f.first(ctx)
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

// partsTimeout is how long a receiver that starts waits for the parts of a configuration that is just being written: the kubelet looks
// for them each minute at most.
const partsTimeout = 2 * time.Minute

// first loads what there is at the start. While parts of it are missing, it waits.
func (f *follower) first(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, partsTimeout)
	defer cancel()
	for {
		_, err := f.step(ctx)
		if _, incomplete := errors.AsType[*config.IncompleteError](err); !incomplete {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(settleDelay):
		}
	}
}

func (f *follower) reload(ctx context.Context) {
	changed, err := f.step(ctx)
	_, incomplete := errors.AsType[*config.IncompleteError](err)
	switch {
	case incomplete && changed:
		f.receiver.options.Logger.Info("a new configuration is not complete yet; the last one stays in force", "detail", err)
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

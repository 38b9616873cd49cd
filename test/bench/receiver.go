package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/mailvane/mailvane/receiver/admin"
	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/test/process"
)

// receiver is a receiver process on a data folder.
type receiver struct {
	*process.Process
	webhooks, backend string
	// started is how long it took to be ready.
	started time.Duration
}

// workbench has what all figures need.
type workbench struct {
	folder  string
	binary  string // the receiver's
	log     *os.File
	source  *source
	floor   string // addresses
	durable string // of the durable floor
	sinks   []string
	helpers []*process.Process
	folders int
	// backlogs are the folders of backlogs, by the number of sinks.
	backlogs [3]string
}

func newWorkbench(ctx context.Context, folder, binary string) (w *workbench, err error) {
	w = &workbench{folder: folder, binary: binary, source: newSource()}
	if w.log, err = os.Create(filepath.Join(folder, "log")); err != nil {
		return nil, err
	}
	if w.binary == "" {
		if w.binary, err = process.Build(ctx, folder, "cmd/receiver"); err != nil {
			return nil, err
		}
	}
	for _, what := range []string{"floor", "durable-floor", "sink", "sink"} {
		address, err := w.help(ctx, what)
		if err != nil {
			return nil, err
		}
		switch what {
		case "floor":
			w.floor = address
		case "durable-floor":
			w.durable = address
		default:
			w.sinks = append(w.sinks, address)
		}
	}
	return w, nil
}

// help starts this program once more, as a server.
func (w *workbench) help(ctx context.Context, what string) (address string, err error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	if address, err = process.FreeAddress(ctx); err != nil {
		return "", err
	}
	p, err := process.Start(w.log, self, "serve", what, address, w.data())
	if err != nil {
		return "", err
	}
	w.helpers = append(w.helpers, p)
	return address, process.WaitReady(ctx, "http://"+address+"/readyz")
}

func (w *workbench) close() {
	for _, p := range w.helpers {
		p.Kill()
	}
	_ = w.log.Close() // nobody reads it
}

// data returns a new folder for a journal.
func (w *workbench) data() string {
	w.folders++
	return filepath.Join(w.folder, "data-"+strconv.Itoa(w.folders))
}

// start runs a receiver with a configuration on a data folder and waits until it is ready.
func (w *workbench) start(ctx context.Context, c *config.Config, data string, more ...string) (*receiver, error) {
	folder := data + "-config"
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	document, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(folder, config.FileName), document, 0o600); err != nil {
		return nil, err
	}
	r := &receiver{}
	if r.webhooks, err = process.FreeAddress(ctx); err != nil {
		return nil, err
	}
	if r.backend, err = process.FreeAddress(ctx); err != nil {
		return nil, err
	}
	flags, err := process.ProbeFlags(ctx, w.binary, r.backend)
	if err != nil {
		return nil, err
	}
	flags = append(flags, "--config", folder, "--data", data, "--listen", r.webhooks,
		"--fetch-keys=false", "--allow-sink-addresses=127.0.0.0/8", "--shutdown-delay=0", "--flush-timeout=0", "--journal-max-bytes="+strconv.Itoa(64<<30), "--journal-min-free-bytes=1")
	flags = append(flags, more...)
	begin := time.Now()
	r.Process, err = process.Start(w.log, w.binary, flags...)
	if err != nil {
		return nil, err
	}
	if err := process.WaitReady(ctx, "http://"+r.backend+admin.PathReady); err != nil {
		r.Kill()
		return nil, fmt.Errorf("%w; see %s", err, w.log.Name())
	}
	r.started = time.Since(begin)
	return r, nil
}

// metric returns the sum of the samples of a metric.
func (r *receiver) metric(ctx context.Context, name string) (float64, error) {
	text, err := get(ctx, "http://"+r.backend+admin.PathMetrics)
	if err != nil {
		return 0, err
	}
	total := 0.0
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		rest, ok := strings.CutPrefix(lines.Text(), name)
		if !ok || (rest[0] != '{' && rest[0] != ' ') {
			continue
		}
		value, err := strconv.ParseFloat(rest[strings.LastIndexByte(rest, ' ')+1:], 64)
		if err != nil {
			return 0, fmt.Errorf("metric %s: %w", name, err)
		}
		total += value
	}
	return total, nil
}

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/mailvane/mailvane/receiver/config"
)

// settings are the configuration that all receivers follow.
type settings struct {
	folder string
	sinks  []*sink

	mu    sync.Mutex
	edits int
}

func newSettings(folder string, sinks []*sink) (*settings, error) {
	if err := os.Mkdir(folder, 0o700); err != nil {
		return nil, err
	}
	s := &settings{folder: folder, sinks: sinks}
	return s, s.change()
}

// change writes a configuration that differs from the last one and selects the same events.
func (s *settings) change() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.edits++
	e := config.Endpoint{
		Namespace: "torture", Name: "ee", Path: hookPath, Provider: config.Plugin{Type: "EmailEngine", Settings: []byte(secrets)},
		Verification: config.Enforce, State: config.Active, MaxBodyBytes: 1 << 20,
	}
	c := config.Config{Version: config.Version}
	for i, k := range s.sinks {
		e.Routes = append(e.Routes, config.Route{Name: k.name, Sink: k.name, Filter: fmt.Sprintf("event.smtpCode != %d", s.edits)})
		c.Sinks = append(c.Sinks, s.sink(k, i))
	}
	c.Endpoints = []config.Endpoint{e}
	document, err := json.Marshal(c)
	if err != nil {
		return err
	}
	// As the kubelet does: the whole document appears at once.
	path := filepath.Join(s.folder, config.FileName)
	if err := os.WriteFile(path+".new", document, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// sink gives each sink another way of being fed, and changes one of them at each edit.
func (s *settings) sink(k *sink, i int) config.Sink {
	d := config.Delivery{
		MaxInFlight: 4, BatchMaxEvents: 100, BatchMaxBytes: 1 << 20, TimeoutSeconds: 1,
		InitialBackoffMilliseconds: 50, MaxBackoffSeconds: 2, MaxAgeSeconds: 86_400, Ordering: config.Unordered,
	}
	mode := "Batched"
	switch i % 3 {
	case 1:
		d.Ordering = config.ByKey
	case 2:
		mode = "Structured"
	}
	if s.edits%len(s.sinks) == i {
		d.BatchMaxEvents += s.edits % 10
	}
	return config.Sink{
		Namespace: "torture", Name: k.name, Delivery: d,
		Kind: config.Plugin{Type: "HTTP", Settings: fmt.Appendf(nil, `{"url":"http://%s/events","contentMode":%q}`, k.address, mode)},
	}
}

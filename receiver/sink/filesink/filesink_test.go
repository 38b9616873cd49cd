package filesink_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/filesink"
	"github.com/mailvane/mailvane/receiver/sink/sinktest"
)

// idsIn returns the ids of the events in a file; a missing file has none.
func idsIn(t *testing.T, path string) []string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	var list []string
	for line := range bytes.Lines(content) {
		var e struct {
			ID string `json:"id"`
		}
		if err := json.Unmarshal(line, &e); err != nil {
			list = append(list, "torn: "+string(line))
			continue
		}
		list = append(list, e.ID)
	}
	return list
}

func settings(path string) string { return fmt.Sprintf(`{"path":%q}`, path) }

// open opens a sink of its own folder.
func open(t *testing.T, path string) sink.Sink {
	t.Helper()
	return openIn(t, filepath.Dir(path), filepath.Base(path))
}

func openIn(t *testing.T, folder, name string) sink.Sink {
	t.Helper()
	s, err := filesink.Kind().New([]byte(settings(name)), sink.Environment{Files: folder})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() }) //nolint:errcheck // closing has a test of its own
	return s
}

func mustSend(t *testing.T, s sink.Sink, messages ...sink.Message) {
	t.Helper()
	if err := s.Send(t.Context(), sink.NewBatch(messages)); err != nil {
		t.Fatalf("Send: %v", err)
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	sinktest.Run(t, func(t *testing.T) sinktest.Harness {
		folder := filepath.Join(t.TempDir(), "events")
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		path, away := filepath.Join(folder, "events.jsonl"), folder+".away"
		noFolder := func(t *testing.T) {
			t.Helper()
			if err := errors.Join(os.Rename(folder, away), os.WriteFile(folder, nil, 0o600)); err != nil {
				t.Fatal(err)
			}
		}
		return sinktest.Harness{
			Kind: filesink.Kind(), Settings: settings("events.jsonl"), Environment: sink.Environment{Files: folder},
			Received: func(t *testing.T) []string { t.Helper(); return idsIn(t, path) },
			Break:    noFolder,
			Mend: func(t *testing.T) {
				t.Helper()
				if err := errors.Join(os.Remove(folder), os.Rename(away, folder)); err != nil {
					t.Fatal(err)
				}
			},
			Fail: map[sinktest.Class]func(*testing.T){sinktest.Transient: noFolder},
		}
	})
}

func TestRotation(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "events.jsonl")
	s := open(t, path)
	mustSend(t, s, sinktest.Message(0))
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	mustSend(t, s, sinktest.Message(1))
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	mustSend(t, s, sinktest.Message(2))
	if err := os.Truncate(path, 0); err != nil { // rotation by copying
		t.Fatal(err)
	}
	mustSend(t, s, sinktest.Message(3))
	got := map[string][]string{"old": idsIn(t, path+".1"), "new": idsIn(t, path)}
	want := map[string][]string{"old": {sinktest.ID(0)}, "new": {sinktest.ID(3)}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAppendsAfterRestart(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "events.jsonl")
	for n := range 2 {
		s := open(t, path)
		mustSend(t, s, sinktest.Message(n))
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{sinktest.ID(0), sinktest.ID(1)}, idsIn(t, path)); diff != "" {
		t.Error(diff)
	}
}

func TestTornLineOfACrashIsEnded(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "events.jsonl")
	if err := os.WriteFile(path, []byte(`{"id":"to`), 0o600); err != nil {
		t.Fatal(err)
	}
	mustSend(t, open(t, path), sinktest.Message(0))
	want := []string{"torn: {\"id\":\"to\n", sinktest.ID(0)}
	if diff := cmp.Diff(want, idsIn(t, path)); diff != "" {
		t.Error(diff)
	}
}

// TestFullDiskLeavesNoTornLine bounds the size of files, which makes the kernel write a part and then refuse.
func TestFullDiskLeavesNoTornLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events.jsonl")
	s := open(t, path)
	mustSend(t, s, sinktest.Message(0))
	size := int64(len(sinktest.Message(0).Envelope) + 1)
	restore := limitFileSize(t, uint64(size+size/2))
	err := s.Send(t.Context(), sinktest.Batch(1, 2))
	restore()
	if !errors.Is(err, syscall.EFBIG) {
		t.Errorf("Send = %v, want EFBIG", err)
	}
	if diff := cmp.Diff([]string{sinktest.ID(0)}, idsIn(t, path)); diff != "" {
		t.Errorf("after the failure: %s", diff)
	}
	mustSend(t, s, sinktest.Messages(1, 2)...)
	if diff := cmp.Diff([]string{sinktest.ID(0), sinktest.ID(1), sinktest.ID(2)}, idsIn(t, path)); diff != "" {
		t.Error(diff)
	}
}

// limitFileSize sets the process's RLIMIT_FSIZE; it is no parallel test that calls it.
func limitFileSize(t *testing.T, size uint64) (restore func()) {
	t.Helper()
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Skip(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: size, Max: old.Max}); err != nil {
		t.Skip(err)
	}
	return func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
			t.Error(err)
		}
	}
}

func TestUnusablePaths(t *testing.T) {
	t.Parallel()
	outside, folder := t.TempDir(), t.TempDir()
	for name, target := range map[string]string{"link": filepath.Join(outside, "events"), "links": outside, "up": "..", "device": os.DevNull} {
		if err := os.Symlink(target, filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(folder, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct{ reason, name, want string }{
		"missing folder":        {"a typing error must not make folders", "missing/events", "does not exist"},
		"folder":                {"it cannot be written", "folder", "not a regular file"},
		"device":                {"it is outside, and cannot be made durable", "device", "file sink"},
		"link that leads out":   {"a link is not a way out", "link", "file sink"},
		"folder that leads out": {"a link to a folder is not a way out", "links/events", "file sink"},
		"folder above":          {"a link upwards is not a way out", "up/events", "file sink"},
	}
	for name, test := range tests {
		err := openIn(t, folder, test.name).(sink.Prober).Probe(t.Context())
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: a probe says %v, want an error with %q: %s", name, err, test.want, test.reason)
		}
		err = openIn(t, folder, test.name).Send(t.Context(), sinktest.Batch(0, 1))
		if err == nil || !strings.Contains(err.Error(), test.want) || sink.IsPermanent(err) {
			t.Errorf("%s: %v, want a transient error with %q: %s", name, err, test.want, test.reason)
		}
	}
	if left, err := os.ReadDir(outside); err != nil || len(left) > 0 {
		t.Errorf("outside of the folder there is %v, %v", left, err)
	}
}

func TestTheFolderIsMadeWhenSomethingIsWritten(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "files")
	s := openIn(t, folder, "events.jsonl")
	if err := s.(sink.Prober).Probe(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(folder); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("before the first event: %v", err)
	}
	mustSend(t, s, sinktest.Message(0))
	if diff := cmp.Diff([]string{sinktest.ID(0)}, idsIn(t, filepath.Join(folder, "events.jsonl"))); diff != "" {
		t.Error(diff)
	}
}

// TestRefusedSettings lists what no receiver takes, whatever its files are.
func TestRefusedSettings(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ reason, settings, folder, want string }{
		"no path":       {"which file?", `{}`, "files", "path is not set"},
		"absolute":      {"the journal, and all else of the receiver, is there", settings("/var/lib/mailvane/journal/OPTIONS-000003"), "files", "relative"},
		"upwards":       {"as above", settings("../journal/OPTIONS-000003"), "files", "relative"},
		"upwards later": {"as above", settings("a/../../journal/OPTIONS-000003"), "files", "relative"},
		"the folder":    {"it is no file", settings("."), "files", "relative"},
		"no folder":     {"the installation names one, or there are no such sinks", settings("events.jsonl"), "", "--file-sinks"},
	} {
		_, err := filesink.Kind().New([]byte(test.settings), sink.Environment{Files: test.folder})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want an error with %q: %s", name, err, test.want, test.reason)
		}
	}
}

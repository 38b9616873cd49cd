package config_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/config"
)

func document(t *testing.T, c *config.Config) []byte {
	t.Helper()
	d, err := config.Encode(c)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func configuration(filter string) *config.Config {
	return &config.Config{Version: config.Version, Endpoints: []config.Endpoint{{
		Namespace: "mail", Name: "ee", Path: "/hooks/mail/ee", Verification: config.Enforce, State: config.Active, MaxBodyBytes: 1,
		Provider: config.Plugin{Type: "EmailEngine", Settings: []byte("{ \"serviceSecrets\": [\"<&>\\u2028é\\u003c\"]\n}")},
		Routes:   []config.Route{{Name: "all", Sink: "crm", Filter: filter}},
	}}}
}

// TestTheHashSurvivesTheReceiver makes sure that manager and receiver name a configuration alike.
func TestTheHashSurvivesTheReceiver(t *testing.T) {
	t.Parallel()
	want := document(t, configuration(`event.type == "<&>é"`))
	parsed, err := config.Parse(want)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(document(t, parsed))); diff != "" {
		t.Errorf("(-rendered +read):\n%s", diff)
	}
	if config.Hash(want) == config.Hash(document(t, configuration("other"))) {
		t.Error("two configurations have one hash")
	}
}

func TestLoadReadsWhatFileReturns(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		filter string
		file   string
	}{
		"small": {"small", config.FileName},
		"large": {strings.Repeat("large ", 100<<10), config.CompressedFileName},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := document(t, configuration(tc.filter))
			file, content, err := config.File(want)
			if err != nil || file != tc.file {
				t.Fatalf("got %s, %v; want %s", file, err, tc.file)
			}
			if _, again, _ := config.File(want); !bytes.Equal(content, again) {
				t.Error("the same document gives other bytes the second time")
			}
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, file), content, 0o600); err != nil {
				t.Fatal(err)
			}
			loaded, err := config.Load(dir)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(document(t, loaded), want) {
				t.Error("something else was loaded")
			}
		})
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	cases := map[string]map[string]string{
		"nothing":      {},
		"not gzip":     {config.CompressedFileName: "{}"},
		"other format": {config.FileName: `{"version":"other"}`},
	}
	for name, files := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for file, content := range files {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if c, err := config.Load(dir); err == nil {
				t.Errorf("loaded %+v", c)
			}
		})
	}
}

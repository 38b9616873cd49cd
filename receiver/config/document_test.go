package config_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
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

// noise is text that does not compress.
func noise(size int) string {
	var b strings.Builder
	for sum := sha256.Sum256(nil); b.Len() < size; sum = sha256.Sum256(sum[:]) {
		b.WriteString(base64.StdEncoding.EncodeToString(sum[:]))
	}
	return b.String()[:size]
}

func write(t *testing.T, dir string, files ...config.File) {
	t.Helper()
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dir, f.Name), f.Content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLoadReadsWhatFilesReturns(t *testing.T) {
	t.Parallel()
	const limit = 256 << 10
	cases := map[string]struct {
		filter string
		file   string
		parts  int
	}{
		"small":      {"small", config.FileName, 0},
		"large":      {strings.Repeat("large ", 100<<10), config.CompressedFileName, 0},
		"very large": {noise(1 << 20), config.PartsFileName, 4},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := document(t, configuration(tc.filter))
			files, err := config.Files(want, limit)
			if err != nil || files[0].Name != tc.file || len(files) != tc.parts+1 {
				t.Fatalf("got %d files, %s, %v; want %s", len(files), files[0].Name, err, tc.file)
			}
			for _, f := range files {
				if len(f.Content) > limit {
					t.Errorf("%s has %d bytes", f.Name, len(f.Content))
				}
			}
			again, err := config.Files(want, limit)
			if diff := cmp.Diff(files, again); err != nil || diff != "" {
				t.Error("the same document gives other bytes the second time")
			}
			dir := t.TempDir()
			write(t, dir, files...)
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

// TestPartsOfTwoDocuments checks each state that a folder may be in while a document is replaced by another, part by part, the list last.
func TestPartsOfTwoDocuments(t *testing.T) {
	t.Parallel()
	old, err := config.Files(document(t, configuration(noise(1<<20))), 256<<10)
	if err != nil {
		t.Fatal(err)
	}
	changed, err := config.Files(document(t, configuration("x"+noise(1<<20))), 256<<10)
	if err != nil {
		t.Fatal(err)
	}
	for replaced := range len(old) {
		dir := t.TempDir()
		write(t, dir, old[0])
		write(t, dir, changed[1:1+replaced]...)
		write(t, dir, old[1+replaced:]...)
		_, err := config.Load(dir)
		if _, incomplete := errors.AsType[*config.IncompleteError](err); incomplete != (replaced > 0) || replaced == 0 && err != nil {
			t.Errorf("%d parts replaced: %v", replaced, err)
		}
	}
	dir := t.TempDir()
	write(t, dir, changed...)
	write(t, dir, config.File{Name: changed[1].Name, Content: changed[2].Content})
	if _, err := config.Load(dir); err == nil {
		t.Error("a part that is another's is taken")
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	cases := map[string]map[string]string{
		"nothing":      {},
		"not gzip":     {config.CompressedFileName: "{}"},
		"other format": {config.FileName: `{"version":"other"}`},
		"no list":      {config.PartsFileName: `[]`},
		"endless list": {config.PartsFileName: `{"sha256":"","count":1000000000}`},
		"empty list":   {config.PartsFileName: `{"sha256":"ab","count":0}`},
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

package tokenfile_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailvane/mailvane/cmd/mailvane/internal/tokenfile"
	"github.com/mailvane/mailvane/receiver/admin/access"
)

// TestFind looks for tokens by the ways in which people write addresses.
func TestFind(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	cases := map[string]struct {
		reason, listens, asked string
		found                  bool
	}{
		"the same":          {"as it is printed", "127.0.0.1:9090", "127.0.0.1:9090", true},
		"localhost":         {"a name of loopback", "127.0.0.1:9191", "localhost:9191", true},
		"IPv6 localhost":    {"it has two addresses", "[::1]:9292", "LOCALHOST:9292", true},
		"all addresses":     {"loopback is one of them", "[::]:9393", "127.0.0.1:9393", true},
		"all IPv4":          {"loopback is one of them", "0.0.0.0:9494", "localhost:9494", true},
		"mapped":            {"the same address", "127.0.0.1:9595", "[::ffff:127.0.0.1]:9595", true},
		"another port":      {"another receiver", "127.0.0.1:9696", "127.0.0.1:9697", false},
		"another address":   {"another receiver", "127.0.0.1:9797", "127.0.0.2:9797", false},
		"another machine":   {"it must not get the token of one that listens here", "0.0.0.0:9898", "192.0.2.1:9898", false},
		"another's name":    {"it must not get the token of one that listens here", "0.0.0.0:9999", "receiver.example.com:9999", false},
		"a name as a path":  {"it leads out of no folder", "127.0.0.1:9100", "../../x:9100", false},
		"without a port":    {"it is no address", "127.0.0.1:9101", "127.0.0.1", false},
		"a name of a scope": {"a zone has no part in a name of a file", "127.0.0.1:9102", "[fe80::1%25..]:9102", false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			token := access.NewToken()
			file, err := tokenfile.Keep(tc.listens, token)
			if err != nil {
				t.Fatal(err)
			}
			if got := tokenfile.Find(tc.asked); (got == token) != tc.found {
				t.Errorf("%s: found %t", tc.reason, got == token)
			}
			file.Remove()
			if got := tokenfile.Find(tc.listens); got != "" {
				t.Error("it is there after the end")
			}
		})
	}
}

// TestOnlyItsUserReadsAToken looks at the modes, and at what a receiver leaves of another's file.
func TestOnlyItsUserReadsAToken(t *testing.T) {
	runtime := t.TempDir()
	t.Setenv("XDG_RUNTIME_DIR", runtime)
	before, err := tokenfile.Keep("127.0.0.1:9090", access.NewToken())
	if err != nil {
		t.Fatal(err)
	}
	token := access.NewToken()
	after, err := tokenfile.Keep("127.0.0.1:9090", token) // the one before was killed
	if err != nil {
		t.Fatal(err)
	}
	before.Remove()
	if tokenfile.Find("127.0.0.1:9090") != token {
		t.Error("a receiver removed the token of the next one")
	}
	for path, want := range map[string]os.FileMode{after.Path: 0o600, filepath.Dir(after.Path): 0o700} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	left, err := os.ReadDir(filepath.Dir(after.Path))
	if err != nil || len(left) != 1 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// TestAFolderThatCannotBeUsedIsPassedOver has an XDG_RUNTIME_DIR that is a file, as after a change of users.
func TestAFolderThatCannotBeUsedIsPassedOver(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(broken, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	t.Setenv("XDG_RUNTIME_DIR", broken)
	t.Setenv("XDG_CACHE_HOME", home)
	t.Setenv("HOME", home)
	token := access.NewToken()
	file, err := tokenfile.Keep("127.0.0.1:9090", token)
	if err != nil || !strings.HasPrefix(file.Path, home) || tokenfile.Find("127.0.0.1:9090") != token {
		t.Errorf("%+v, %v", file, err)
	}
}

package access_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailvane/mailvane/receiver/admin/access"
)

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestAHostThatIsNotOursIsRefused sends what a browser would send whose name server has been made to lie, and what others send.
func TestAHostThatIsNotOursIsRefused(t *testing.T) {
	t.Parallel()
	loopback, pod := net.IPv4(127, 0, 0, 1), net.IPv4(10, 1, 2, 3)
	cases := map[string]struct {
		reason       string
		local        net.IP
		listen, host string
		origin       []string
		ok           bool
	}{
		"localhost":                {"a port-forward", loopback, "", "localhost:9090", nil, true},
		"upper case":               {"names have no case", loopback, "", "LOCALHOST:9090", nil, true},
		"a full name":              {"the dot belongs to the name", loopback, "", "localhost.:9090", nil, true},
		"127.0.0.1":                {"the command line", loopback, "127.0.0.1", "127.0.0.1:9090", nil, true},
		"another of loopback":      {"still this machine", loopback, "", "127.0.0.2", nil, true},
		"IPv6":                     {"brackets and port", loopback, "", "[::1]:9090", nil, true},
		"IPv6 without a port":      {"port 80 is left out", loopback, "", "[::1]", nil, true},
		"mapped":                   {"IPv4 in IPv6", loopback, "", "[::ffff:127.0.0.1]:9090", nil, true},
		"a name over loopback":     {"DNS rebinding", loopback, "", "evil.example:9090", nil, false},
		"a name that ends like it": {"not localhost", loopback, "", "localhost.evil.example", nil, false},
		"a name that begins so":    {"not an address", loopback, "", "127.0.0.1.evil.example", nil, false},
		"another's address":        {"over loopback nobody has it", loopback, "", "192.0.2.1:9090", nil, false},
		"none":                     {"HTTP/1.0", loopback, "", "", nil, false},
		"the configured name":      {"--admin-listen admin.example.com:9090", loopback, "admin.example.com", "admin.example.com:9090", nil, true},
		"pod address":              {"the manager asks", pod, "", "10.1.2.3:9090", nil, true},
		"address of the node":      {"forwarded to a container", pod, "", "192.0.2.1:9090", nil, true},
		"a name at a pod":          {"a page whose name is the pod's address", pod, "", "evil.example:9090", nil, false},
		"localhost at a pod":       {"a proxy beside it", pod, "", "localhost:9090", nil, true},
		"own origin":               {"a page of its own", loopback, "", "localhost:9090", []string{"http://localhost:9090"}, true},
		"another port":             {"another program's page", loopback, "", "localhost:9090", []string{"http://localhost:8000"}, false},
		"another site":             {"a form that a page sends", loopback, "", "localhost:9090", []string{"http://evil.example"}, false},
		"null":                     {"a sandboxed page", loopback, "", "localhost:9090", []string{"null"}, false},
		"empty origin":             {"no browser sends it", loopback, "", "localhost:9090", []string{""}, false},
		"two origins":              {"one of them is not ours", loopback, "", "localhost:9090", []string{"http://localhost:9090", "http://evil.example"}, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var refused string
			g := &access.Guard{Keyring: &access.Keyring{}, Host: tc.listen, Refused: func(reason string) { refused = reason }}
			request := httptest.NewRequest(http.MethodGet, "/v1/sinks", http.NoBody)
			request = request.WithContext(context.WithValue(request.Context(), http.LocalAddrContextKey, &net.TCPAddr{IP: tc.local, Port: 9090}))
			request.Host = tc.host
			request.Header["Origin"] = tc.origin
			answer, reached := httptest.NewRecorder(), false
			g.FromHere(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true })).ServeHTTP(answer, request)
			if reached != tc.ok || (answer.Code == http.StatusForbidden) == tc.ok || (refused == "") != tc.ok {
				t.Errorf("%s: reached %t, answer %d, counted as %q", tc.reason, reached, answer.Code, refused)
			}
		})
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", access.MinTokenLength)
	cases := map[string]struct {
		reason, content string
		tokens          int // 0 = an error
	}{
		"one":               {"as the manager makes it", access.NewToken(), 1},
		"a line":            {"as an editor makes it", access.NewToken() + "\r\n", 1},
		"two":               {"an old one and a new one", access.NewToken() + "\n\n" + access.NewToken() + "\n", 2},
		"openssl":           {"base64 with padding", "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=", 1},
		"none":              {"would let nobody in", " \n", 0},
		"short":             {"could be guessed", long[1:], 0},
		"one that is short": {"the other would hide it", long + "\nsecret", 0},
		"a blank":           {"no header holds it as one", long + " " + long, 0},
		"a line break":      {"Unicode is no token", long + "\u0085" + long, 0},
		"many":              {"more than a rotation needs", strings.Repeat(long+"\n", 9), 0},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := access.ParseTokens([]byte(tc.content))
			if len(got) != tc.tokens || (err == nil) != (tc.tokens > 0) {
				t.Errorf("%s: %d tokens, %v", tc.reason, len(got), err)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the error quotes a token: %v", err)
			}
		})
	}
}

// TestARotationNeedsNoRestart replaces tokens under a keyring.
func TestARotationNeedsNoRestart(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	first, second, all := access.NewToken(), access.NewToken(), access.NewToken()
	viewer, file := filepath.Join(folder, "viewer"), filepath.Join(t.TempDir(), "token")
	write(t, file, all)
	var k access.Keyring
	k.AddFolder(folder)
	k.AddFile(file, access.Privacy)
	steps := []struct {
		reason, viewers string
		want            map[string]access.Right
	}{
		{"the file is not there yet", "", map[string]access.Right{first: 0, all: access.Privacy}},
		{"one token", first, map[string]access.Right{first: access.Viewer, second: 0}},
		{"both", first + "\n" + second, map[string]access.Right{first: access.Viewer, second: access.Viewer}},
		{"the new one", second, map[string]access.Right{first: 0, second: access.Viewer}},
		{"a greater right wins", all, map[string]access.Right{all: access.Privacy}},
		{"a broken file gives nothing", second + "\nshort", map[string]access.Right{second: 0, "short": 0, all: access.Privacy}},
	}
	for _, step := range steps {
		if step.viewers != "" {
			write(t, viewer, step.viewers)
		}
		for token, want := range step.want {
			if got := k.Right(token); got != want {
				t.Errorf("%s: the right %s, want %s", step.reason, got, want)
			}
		}
	}
	if err := k.Check(); err == nil || !strings.Contains(err.Error(), "viewer") {
		t.Errorf("the broken file is not named: %v", err)
	}
}

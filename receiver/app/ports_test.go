package app //nolint:testpackage // it walks the table of routes

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mailvane/mailvane/receiver/admin"
	"github.com/mailvane/mailvane/receiver/admin/access"
	"github.com/mailvane/mailvane/receiver/dedupe"
	"github.com/mailvane/mailvane/receiver/handoff"
	"github.com/mailvane/mailvane/receiver/journal/embedded"
	"github.com/mailvane/mailvane/receiver/peer"
)

func tokenOf(right access.Right) string { return strings.Repeat(right.String()+"-", 8) }

// guarded returns a receiver that does not serve, with a token for each right, that other pods can hand off to.
func guarded(t *testing.T) *Receiver {
	t.Helper()
	j, err := embedded.Open(embedded.Options{Dir: "journal", FS: vfs.NewMem(), MinFreeBytes: -1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	folder := t.TempDir()
	for _, right := range access.Rights() {
		if err := os.WriteFile(filepath.Join(folder, right.String()), []byte(tokenOf(right)+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o := Options{Journal: j, Logger: slog.New(slog.DiscardHandler), Handoff: Handoff{
		Peers: "127.0.0.1:1", Key: func() ([]byte, error) { return make([]byte, peer.MinKeyBytes), nil },
	}}
	o.AdminKeys.AddFolder(folder)
	r, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// call returns what a handler answers to a request with an Authorization header, unless that is empty.
func call(h http.Handler, pattern, authorization string) *httptest.ResponseRecorder {
	method, path, _ := strings.Cut(strings.ReplaceAll(pattern, "{id}", "7"), " ")
	request := httptest.NewRequest(method, "http://localhost"+path, http.NoBody)
	request.Header.Set("Content-Type", "application/json")
	if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, request)
	return answer
}

// TestEveryRouteOfTheAdminAPIAsksForItsRight walks the table that the API is made of.
func TestEveryRouteOfTheAdminAPIAsksForItsRight(t *testing.T) {
	t.Parallel()
	r := guarded(t)
	h := r.adminHandler()
	for _, route := range r.admin.Routes() {
		if want := map[bool]access.Right{true: access.Viewer, false: access.Operator}[strings.HasPrefix(route.Pattern, "GET ")]; route.Right < want {
			t.Errorf("%s takes the right %s: to act takes at least %s", route.Pattern, route.Right, want)
		}
		for name, authorization := range map[string]string{
			"none": "", "empty": "Bearer ", "unknown": "Bearer " + strings.Repeat("x", access.MinTokenLength),
			"basic": "Basic " + tokenOf(access.Privacy), "without a scheme": tokenOf(access.Privacy), "cut": "Bearer " + tokenOf(access.Privacy)[1:],
		} {
			answer := call(h, route.Pattern, authorization)
			if answer.Code != http.StatusUnauthorized || answer.Header().Get("Content-Type") != "application/problem+json" || answer.Header().Get("WWW-Authenticate") == "" {
				t.Errorf("%s with a token that is %s: %d %s", route.Pattern, name, answer.Code, answer.Body)
			}
		}
		for _, right := range access.Rights() {
			refused := call(h, route.Pattern, "Bearer "+tokenOf(right)).Code == http.StatusForbidden
			if refused == right.Includes(route.Right) {
				t.Errorf("%s with the right %s: refused %t", route.Pattern, right, refused)
			}
		}
	}
	for _, path := range []string{handoff.Path, dedupe.Path} {
		if answer := call(h, "POST "+path, "Bearer "+tokenOf(access.Privacy)); answer.Code == http.StatusOK || answer.Code == http.StatusNotFound {
			t.Errorf("%s takes a token for the proof of a pod: %d", path, answer.Code)
		}
	}
}

// TestWhatIsOpenTellsNothing makes sure that neither port answers what the other is for.
func TestWhatIsOpenTellsNothing(t *testing.T) {
	t.Parallel()
	r := guarded(t)
	for _, route := range r.admin.Routes() {
		if answer := call(r.metricsHandler(), route.Pattern, "Bearer "+tokenOf(access.Privacy)); answer.Code != http.StatusNotFound {
			t.Errorf("the metrics port answers %s: %d", route.Pattern, answer.Code)
		}
	}
	for _, path := range []string{handoff.Path, dedupe.Path} {
		if answer := call(r.metricsHandler(), "POST "+path, ""); answer.Code != http.StatusNotFound {
			t.Errorf("the metrics port answers %s: %d", path, answer.Code)
		}
	}
	for path, want := range map[string]int{admin.PathHealth: http.StatusOK, admin.PathReady: http.StatusServiceUnavailable, admin.PathMetrics: http.StatusOK} {
		if answer := call(r.metricsHandler(), "GET "+path, ""); answer.Code != want {
			t.Errorf("%s of the metrics port: %d, want %d", path, answer.Code, want)
		}
		if answer := call(r.adminHandler(), "GET "+path, "Bearer "+tokenOf(access.Privacy)); answer.Code != http.StatusNotFound {
			t.Errorf("%s of the admin port: %d", path, answer.Code)
		}
	}
}

package program

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailvane/mailvane/receiver/config"
)

func TestLoaded(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		status int
		body   string
		want   config.Loaded
		fails  bool
	}{
		"loaded":          {200, `{"hash":"abc"}`, config.Loaded{Hash: "abc"}, false},
		"nothing loaded":  {200, `{"hash":""}`, config.Loaded{}, false},
		"a full journal":  {200, `{"hash":"abc","journalProblem":"full"}`, config.Loaded{Hash: "abc", JournalProblem: "full"}, false},
		"an older image":  {404, "not found", config.Loaded{}, true},
		"something else":  {200, "<html>", config.Loaded{}, true},
		"endless":         {200, `{"hash":"` + strings.Repeat("a", 1<<20) + `"}`, config.Loaded{}, true},
		"sends elsewhere": {302, "", config.Loaded{}, true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodGet || r.URL.Path != "/v1/config" || r.Header.Get("Authorization") != "Bearer secret" {
					t.Errorf("%s %s", r.Method, r.URL)
				}
				w.Header().Set("Location", "/v1/config")
				w.WriteHeader(tc.status)
				_, _ = w.Write([]byte(tc.body)) // the client may have enough
			}))
			defer server.Close()
			got, err := NewHTTPPods().ask(t.Context(), strings.TrimPrefix(server.URL, "http://"), "secret")
			if !cmp.Equal(got, tc.want) || (err != nil) != tc.fails {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

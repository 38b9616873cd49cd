package receiver

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestLoadedHash(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		status int
		body   string
		want   string
		fails  bool
	}{
		"loaded":          {200, `{"hash":"abc"}`, "abc", false},
		"nothing loaded":  {200, `{"hash":""}`, "", false},
		"an older image":  {404, "not found", "", true},
		"something else":  {200, "<html>", "", true},
		"endless":         {200, `{"hash":"` + strings.Repeat("a", 1<<20) + `"}`, "", true},
		"sends elsewhere": {302, "", "", true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodGet || r.URL.Path != "/v1/config" {
					t.Errorf("%s %s", r.Method, r.URL)
				}
				w.Header().Set("Location", "/v1/config")
				w.WriteHeader(tc.status)
				_, _ = w.Write([]byte(tc.body)) // the client may have enough
			}))
			defer server.Close()
			got, err := NewHTTPPods().ask(t.Context(), strings.TrimPrefix(server.URL, "http://"))
			if got != tc.want || (err != nil) != tc.fails {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

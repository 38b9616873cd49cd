package app

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/mailvane/mailvane/receiver/keys"
	"github.com/mailvane/mailvane/receiver/netguard"
)

func TestKeyLookupsGoWhereSinksMayGo(t *testing.T) {
	var reached atomic.Int64
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	t.Cleanup(inside.Close)
	outside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, inside.URL+"/latest/meta-data", http.StatusFound)
	}))
	t.Cleanup(outside.Close)
	t.Setenv("HTTP_PROXY", inside.URL)
	cases := map[string]struct {
		reason, url, want string
	}{
		"a redirect":         {reason: "it may lead anywhere", url: outside.URL, want: "answered 302"},
		"a metadata service": {reason: "it hands out credentials", url: "http://169.254.169.254/keys", want: "not allowed"},
		"a proxy":            {reason: "it would connect in our place, and to what it likes", url: "http://keys.invalid/", want: ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := keys.Get(t.Context(), KeyClient(netguard.Guard{}), c.url)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: got %v, want an error with %q", c.reason, err, c.want)
			}
		})
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("what is inside was asked %d times", n)
	}
}

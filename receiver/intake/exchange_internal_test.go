package intake

import (
	"net/http"
	"testing"
	"time"

	"github.com/mailvane/mailvane/receiver/provider"
)

// TestReleaseKeepsLittle tests what a request leaves to later ones: memory up to a bound, and nothing of what it said.
func TestReleaseKeepsLittle(t *testing.T) {
	t.Parallel()
	h := NewHandler(Options{Now: time.Now})
	for _, c := range []struct{ size, kept int }{{1000, 1000}, {maxKeptBytes, maxKeptBytes}, {maxKeptBytes + 1, 0}} {
		x := &exchange{endpoint: &site{}, token: "token", started: time.Now()}
		x.arena.Keep(make([]byte, c.size))
		x.request = provider.Request{Header: http.Header{}, Body: x.bodyOf(int64(c.size), nil)}
		h.release(x)
		if cap(x.body) != c.kept || cap(x.arena.Scratch()) != c.kept || len(x.body) != 0 {
			t.Errorf("of %d bytes %d and %d are kept, want %d", c.size, cap(x.body), cap(x.arena.Scratch()), c.kept)
		}
		if x.endpoint != nil || x.token != "" || x.request.Header != nil || x.request.Body != nil {
			t.Errorf("%+v is kept", x)
		}
	}
}

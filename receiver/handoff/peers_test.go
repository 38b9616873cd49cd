package handoff

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/mailvane/mailvane/receiver/journal"
)

// peersAt are the peers of a pod whose only one is the server.
func peersAt(server *httptest.Server) *Peers {
	return &Peers{
		Address: strings.TrimPrefix(server.URL, "http://"), Self: netip.MustParseAddrPort("127.0.0.1:1"),
		Key: func() ([]byte, error) { return []byte(testKey), nil },
	}
}

// owing is a journal that owes an event.
func owing(t *testing.T) Recaller {
	t.Helper()
	_, j := takenOver(t)
	if _, err := j.Append(t.Context(), journal.Batch{Entries: []journal.Entry{{Sinks: []string{"mail/crm"}, Payload: []byte("{}")}}}); err != nil {
		t.Fatal(err)
	}
	return j
}

func TestAPeerThatHasStoredEverythingIsBelieved(t *testing.T) {
	t.Parallel()
	h, taken := takenOver(t)
	peer := httptest.NewServer(h)
	t.Cleanup(peer.Close)
	given := owing(t)
	if moved, err := Empty(t.Context(), given, peersAt(peer)); err != nil || moved != 1 || Held(given) != 0 || Held(taken) != 1 {
		t.Errorf("%d moved, %d left, %d taken, %v", moved, Held(given), Held(taken), err)
	}
}

// TestAnAnswerWithoutProofIsNotBelieved has others at the address that was a peer's.
func TestAnAnswerWithoutProofIsNotBelieved(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		answer func(http.ResponseWriter, *http.Request)
		says   string
	}{
		"200":               {func(http.ResponseWriter, *http.Request) {}, "without proof"},
		"a redirect to 200": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/login", http.StatusFound) }, "302"},
		"another key": {func(w http.ResponseWriter, r *http.Request) {
			prove(w.Header(), []byte("another"), r.Header.Get(headerSignature))
		}, "without proof"},
		"another parcel": {func(w http.ResponseWriter, _ *http.Request) { prove(w.Header(), []byte(testKey), "another") }, "without proof"},
		"the parcel's own sum": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set(headerStored, r.Header.Get(headerSignature))
		}, "without proof"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, enough := context.WithCancel(t.Context())
			defer enough()
			var asked atomic.Int32
			stranger := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != Path {
					return
				}
				if asked.Add(1) == 2 { // the first answer was not enough
					enough()
				}
				tc.answer(w, r)
			}))
			defer stranger.Close()
			j := owing(t)
			moved, err := Empty(ctx, j, peersAt(stranger))
			if moved != 0 || Held(j) != 1 || err == nil || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%d moved, %d left, %v", moved, Held(j), err)
			}
		})
	}
}

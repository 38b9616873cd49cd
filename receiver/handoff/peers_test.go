package handoff

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/peer"
)

// peersAt are the peers of a pod whose only one is the server.
func peersAt(server *httptest.Server) *peer.Peers {
	return &peer.Peers{
		Address: strings.TrimPrefix(server.URL, "http://"), Self: netip.MustParseAddrPort("127.0.0.1:1"),
		Key: testKeyOf,
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
			peer.Prove(w.Header(), r.Header, []byte("another"))
		}, "without proof"},
		"another parcel": {func(w http.ResponseWriter, _ *http.Request) { peer.Prove(w.Header(), http.Header{}, []byte(testKey)) }, "without proof"},
		"a pod of the release before, which knows no such signature": {func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "not authentic", http.StatusUnauthorized)
		}, "401"},
		"the parcel's own sum": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Mailvane-Stored", r.Header.Get("Mailvane-Signature"))
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

// TestWhatNoPeerTakesHoldsUpNothingElse has one event among 1,200 that the only peer refuses for good, as one that is too large is.
func TestWhatNoPeerTakesHoldsUpNothingElse(t *testing.T) {
	t.Parallel()
	h, taken := takenOver(t)
	var posts atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		posts.Add(1)
		body, err := io.ReadAll(r.Body)
		if err != nil || bytes.Contains(body, []byte("poison")) {
			http.Error(w, "too large", http.StatusRequestEntityTooLarge)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	_, given := takenOver(t)
	var b journal.Batch
	for i := range 1200 {
		payload := fmt.Appendf(nil, `{"n":%d}`, i)
		if i == 300 {
			payload = []byte(`{"poison":true}`)
		}
		b.Entries = append(b.Entries, journal.Entry{Sinks: []string{"mail/crm", "mail/other"}, Payload: payload})
	}
	for i := range 20 {
		letter := journal.DeadLetter{Cause: journal.CauseUndecodable, Endpoint: "mail/ee", Payload: []byte("{")}
		if i == 3 {
			letter.Reason = "poison"
		}
		b.DeadLetters = append(b.DeadLetters, letter)
	}
	if _, err := given.Append(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	moved, err := Empty(t.Context(), given, peersAt(server))
	if moved != 2*1199+19 || Held(given) != 3 || Held(taken) != 2*1199+19 {
		t.Errorf("%d moved, %d left, %d taken", moved, Held(given), Held(taken))
	}
	if err == nil || !strings.Contains(err.Error(), "hand off 1 events of mail/crm") || !strings.Contains(err.Error(), "1 dead letters") {
		t.Errorf("error: %v", err)
	}
	if n := posts.Load(); n > 70 {
		t.Errorf("%d posts", n)
	}
}

// TestOneQueueThatFailsEndsNoOther: the settlements of one sink fail.
func TestOneQueueThatFailsEndsNoOther(t *testing.T) {
	t.Parallel()
	h, taken := takenOver(t)
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	_, given := takenOver(t)
	var b journal.Batch
	for i := range 50 {
		b.Entries = append(b.Entries, journal.Entry{Sinks: []string{fmt.Sprintf("mail/sink-%d", i)}, Payload: []byte("{}")})
	}
	if _, err := given.Append(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	moved, err := Empty(t.Context(), unsettled{given}, peersAt(server))
	if err == nil || moved != 49 || Held(taken) != 50 {
		t.Errorf("%d moved, %d taken, %v", moved, Held(taken), err)
	}
}

// unsettled is a journal in which nothing of one sink can be settled.
type unsettled struct{ Recaller }

func (j unsettled) Queue(sink string) journal.Queue {
	if sink == "mail/sink-0" {
		return refusing{j.Recaller.Queue(sink)}
	}
	return j.Recaller.Queue(sink)
}

type refusing struct{ journal.Queue }

func (refusing) Settle(context.Context, []journal.Settlement) error { return journal.ErrUnavailable }

// TestAnEventOfAnySizeIsHandedOff moves one as large as the largest body that an endpoint may take, with 1,000 small ones behind it.
func TestAnEventOfAnySizeIsHandedOff(t *testing.T) {
	t.Parallel()
	h, taken := takenOver(t)
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	_, given := takenOver(t)
	large := make([]byte, 130<<20)
	if _, err := given.Append(t.Context(), journal.Batch{Entries: []journal.Entry{{Sinks: []string{"mail/crm"}, Payload: large}}}); err != nil {
		t.Fatal(err)
	}
	small := make([]journal.Entry, 1000)
	for i := range small {
		small[i] = journal.Entry{Sinks: []string{"mail/crm"}, Payload: []byte("{}")}
	}
	if _, err := given.Append(t.Context(), journal.Batch{Entries: small}); err != nil {
		t.Fatal(err)
	}
	if moved, err := Empty(t.Context(), given, peersAt(server)); err != nil || moved != 1001 || Held(taken) != 1001 {
		t.Errorf("%d moved, %d taken, %v", moved, Held(taken), err)
	}
}

package dedupe

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/peer"
)

// store is an Appender that keeps what it is given.
type store struct {
	mu      sync.Mutex
	entries []journal.Entry
	err     error
}

func (s *store) Append(_ context.Context, b journal.Batch) (journal.Receipt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return journal.Receipt{}, s.err
	}
	s.entries = append(s.entries, b.Entries...)
	return journal.Receipt{Accepted: len(b.Entries), DeadLettered: len(b.DeadLetters)}, nil
}

// pod is one pod of a receiver, with a clock that a test turns.
type pod struct {
	*Pods
	store *store
	ahead time.Duration
	kept  []journal.KeyHash
}

func newPod() *pod {
	p := &pod{store: &store{}}
	p.Pods = NewPods(p.store)
	p.known.now = func() time.Time { return time.Now().Add(p.ahead) }
	return p
}

func (p *pod) accepts(t *testing.T, keys ...string) (accepted int) {
	t.Helper()
	var b journal.Batch
	for _, k := range keys {
		b.Entries = append(b.Entries, journal.Entry{DedupeKeys: []string{k}})
	}
	receipt, err := p.Append(t.Context(), b)
	if err != nil || receipt.Accepted+receipt.Duplicates != len(keys) {
		t.Fatalf("%+v, %v", receipt, err)
	}
	return receipt.Accepted
}

func key() ([]byte, error) { return []byte("0123456789abcdef0123456789abcdef"), nil }

// handler takes what others tell the pod.
func (p *pod) handler(origin string) http.Handler {
	return &Handler{
		Guard: &peer.Guard{Key: key, AllowRepeats: true}, Pods: p.Pods, Origin: origin,
		Keep: func(_ context.Context, hashes []journal.KeyHash) error {
			p.kept = append(p.kept, hashes...)
			return nil
		},
	}
}

func (p *pod) listens(t *testing.T, origin string) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(p.handler(origin))
	t.Cleanup(server.Close)
	return server
}

// tells returns what tells the pod behind the server.
func (p *pod) tells(server *httptest.Server) *Teller {
	return &Teller{
		Pods: p.Pods, Origin: "teller", Logger: slog.New(slog.DiscardHandler),
		Peers: &peer.Peers{Address: strings.TrimPrefix(server.URL, "http://"), Self: netip.MustParseAddrPort("127.0.0.1:1"), Key: key},
	}
}

// run runs a teller until stop.
func run(t *testing.T, teller *Teller) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		teller.Run(ctx)
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		<-ended
	})
	t.Cleanup(stop)
	return stop
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("half a minute later still not: %s", what)
		}
	}
}

func (p *pod) knows(k string) bool { return p.known.any([]journal.KeyHash{journal.HashKey(k)}) }

// TestARetryAtTheOtherPodIsADuplicate until the first one goes silent: what it had may be lost with it, and is accepted again.
func TestARetryAtTheOtherPodIsADuplicate(t *testing.T) {
	t.Parallel()
	first, second := newPod(), newPod()
	stop := run(t, first.tells(second.listens(t, "second")))
	if n := first.accepts(t, "a", "b"); n != 2 {
		t.Fatalf("%d accepted", n)
	}
	eventually(t, "the second pod is told", func() bool { return second.knows("a") && second.knows("b") })
	if n := second.accepts(t, "a", "c", "b"); n != 1 || len(second.store.entries) != 1 {
		t.Errorf("%d accepted, want c alone", n)
	}
	stop()
	second.ahead = silence + time.Second
	if n := second.accepts(t, "a", "c"); n != 2 { // the test's store knows no duplicates of its own
		t.Errorf("%d accepted of a pod that is silent", n)
	}
}

func TestAPodThatHasLeftInOrderStaysKnown(t *testing.T) {
	t.Parallel()
	first, second := newPod(), newPod()
	teller := first.tells(second.listens(t, "second"))
	stop := run(t, teller)
	first.accepts(t, "a")
	eventually(t, "the second pod is told", func() bool { return second.knows("a") })
	stop()
	first.accepts(t, "b") // in the last moment
	teller.Leave(t.Context(), keeper{"a", "b", "older than the process"})
	second.ahead = 24 * time.Hour
	if n := second.accepts(t, "a", "b"); n != 0 {
		t.Errorf("%d accepted again", n)
	}
	if len(second.kept) != 3 {
		t.Errorf("%d identities of its journal are kept", len(second.kept))
	}
}

type keeper []string

func (k keeper) KeyHashes(_ context.Context, yield func(journal.KeyHash) bool) error {
	for _, name := range k {
		if !yield(journal.HashKey(name)) {
			return nil
		}
	}
	return nil
}

// TestAPodThatStartsIsToldWhatWasBefore, in a process at the same address that knows nothing any more.
func TestAPodThatStartsIsToldWhatWasBefore(t *testing.T) {
	t.Parallel()
	first, second, again := newPod(), newPod(), newPod()
	server := second.listens(t, "second")
	var current atomic.Pointer[http.Handler]
	current.Store(&server.Config.Handler)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*current.Load()).ServeHTTP(w, r) }))
	t.Cleanup(front.Close)
	run(t, first.tells(front))
	first.accepts(t, "a")
	eventually(t, "the second pod is told", func() bool { return second.knows("a") })
	next := again.handler("again")
	current.Store(&next)
	first.accepts(t, "b")
	eventually(t, "the new process is told of both", func() bool { return again.knows("a") && again.knows("b") })
}

func TestWhatIsNotStoredIsNotTold(t *testing.T) {
	t.Parallel()
	p := newPod()
	p.store.err = errors.New("full")
	if _, err := p.Append(t.Context(), journal.Batch{Entries: []journal.Entry{{DedupeKeys: []string{"a"}}}}); err == nil {
		t.Fatal("no error")
	}
	if hashes, _ := p.own.since(0, 10); len(hashes) > 0 {
		t.Error("it is told to others, who would drop the provider's retry")
	}
}

// TestOnlyTheEventsThatAreKnownAreLeftOut: dead letters and resolved ones of the same request are stored.
func TestOnlyTheEventsThatAreKnownAreLeftOut(t *testing.T) {
	t.Parallel()
	p := newPod()
	p.known.tell(&message{Origin: "o", Sequence: 1, ValidMillis: 1000}, []journal.KeyHash{journal.HashKey("a")})
	receipt, err := p.Append(t.Context(), journal.Batch{
		Entries: []journal.Entry{{DedupeKeys: []string{"other", "a"}}}, DeadLetters: []journal.DeadLetter{{Reason: "no JSON"}},
	})
	if err != nil || receipt != (journal.Receipt{Duplicates: 1, DeadLettered: 1}) {
		t.Errorf("%+v, %v", receipt, err)
	}
	if n := p.accepts(t, "other"); n != 1 {
		t.Error("an event that was never stored is taken for a duplicate")
	}
}

// TestAnOldMessageRevivesNobody: it was recorded while the pod was there, and comes again when it is gone.
func TestAnOldMessageRevivesNobody(t *testing.T) {
	t.Parallel()
	p := newPod()
	old := message{Origin: "o", Sequence: 7, ValidMillis: 1000}
	p.known.tell(&old, []journal.KeyHash{journal.HashKey("a")})
	p.ahead = 2 * time.Second
	p.known.tell(&old, nil)
	if p.knows("a") {
		t.Error("the pod counts as being there")
	}
	p.known.tell(&message{Origin: "o", Sequence: 8, ValidMillis: 1 << 40}, nil)
	if !p.knows("a") {
		t.Error("a pod that is heard of again is not believed")
	}
	if p.ahead += maxValid + time.Second; p.knows("a") {
		t.Error("a message is good for longer than the bound")
	}
}

func TestWhatIsKnownIsBounded(t *testing.T) {
	t.Parallel()
	k := newKnown()
	hashes := make([]journal.KeyHash, 0, maxHashes)
	for i := range 3 * maxKnown {
		if hashes = append(hashes, journal.HashKey(strconv.Itoa(i))); len(hashes) == maxHashes {
			k.tell(&message{Origin: "o", Sequence: uint64(i) + 1, ValidMillis: 1000}, hashes)
			hashes = hashes[:0]
		}
	}
	if n := len(k.newer) + len(k.older); n > 2*maxKnown {
		t.Errorf("%d are known", n)
	}
	if !k.any([]journal.KeyHash{journal.HashKey(strconv.Itoa(3*maxKnown - 1))}) || k.any([]journal.KeyHash{journal.HashKey("0")}) {
		t.Error("the newest is not known, or the oldest still is")
	}
	for i := range 3 * maxOrigins {
		k.tell(&message{Origin: strconv.Itoa(i), Sequence: 1}, nil)
	}
	if len(k.origins) > maxOrigins {
		t.Errorf("%d processes are told apart", len(k.origins))
	}
	var r ring
	r.add(make([]journal.KeyHash, 3*ringSize+5))
	got, next := r.since(0, 10)
	if len(r.hashes) != ringSize || len(got) != 10 || next != 2*ringSize+15 {
		t.Errorf("%d own ones; of them %d until %d", len(r.hashes), len(got), next)
	}
}

func TestMessagesOnTheWire(t *testing.T) {
	t.Parallel()
	m := message{Origin: "o", Sequence: 2, ValidMillis: 5000, Left: true, Keep: true}
	text, err := m.encode([]journal.KeyHash{{15: 1}, {0: 255}})
	const want = `{"origin":"o","sequence":2,"validMillis":5000,"hashes":"AAAAAAAAAAAAAAAAAAAAAf8AAAAAAAAAAAAAAAAAAAA=","left":true,"keep":true}`
	if err != nil || string(text) != want {
		t.Errorf("%s, %v", text, err)
	}
	if got := (&message{Hashes: append(m.Hashes, 1, 2)}).hashes(); len(got) != 2 || got[1] != (journal.KeyHash{0: 255}) {
		t.Errorf("read: %v", got)
	}
}

func TestStrangersTellNothing(t *testing.T) {
	t.Parallel()
	p := newPod()
	server := p.listens(t, "p")
	to := netip.MustParseAddrPort(server.Listener.Addr().String())
	for name, tc := range map[string]struct {
		key, body string
		status    int
	}{
		"another key":         {strings.Repeat("x", 32), `{"origin":"o","sequence":1,"left":true}`, http.StatusUnauthorized},
		"no message":          {"0123456789abcdef0123456789abcdef", `[]`, http.StatusBadRequest},
		"without an origin":   {"0123456789abcdef0123456789abcdef", `{}`, http.StatusBadRequest},
		"longer than allowed": {"0123456789abcdef0123456789abcdef", `{"origin":"` + strings.Repeat("o", int(maxBody)) + `"}`, http.StatusBadRequest},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+Path, strings.NewReader(tc.body))
		if err != nil {
			t.Fatal(err)
		}
		peer.Sign(r, to, []byte(tc.key), []byte(tc.body), time.Now())
		answer, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := answer.Body.Close(); err != nil || answer.StatusCode != tc.status {
			t.Errorf("%s: %d, %v", name, answer.StatusCode, err)
		}
	}
	if len(p.known.origins) > 0 {
		t.Error("a stranger was believed")
	}
}

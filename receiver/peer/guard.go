package peer

import (
	"crypto/sha256"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/mailvane/mailvane/receiver/signature"
)

// maxNonces bounds the messages that are remembered, 60 a second over the time in which one could come again. When there are more,
// those beyond are refused until the oldest are too old to be believed.
const maxNonces = 2 * 60 * 5 * 60

// Guard decides which messages are taken, each once. It is safe for concurrent use; the zero value with a Key is ready.
type Guard struct {
	// Key returns the key that the pods share.
	Key func() ([]byte, error)
	// Self is where this process listens; messages for another are refused. Not valid = any address is this one's.
	Self netip.AddrPort
	// AllowRepeats takes a message also when it has come before: its receiver knows what is new by itself.
	AllowRepeats bool
	// AllowUnaddressed takes what the release before sends, which names no addressee.
	AllowUnaddressed bool

	mu    sync.Mutex
	seen  map[string]int64 // by signature, until when it is believed, in Unix seconds
	swept int64
}

// Check returns the key if the headers are those of a message for this pod that has not come before; [ReadBody] then reads its body.
// The error is ErrNotAuthentic, or says that there is no key.
func (g *Guard) Check(r *http.Request, now time.Time) (key []byte, err error) {
	key, err = g.Key()
	if err != nil {
		return nil, err
	}
	if !g.authentic(r, key, now) || !g.first(r.Header, now) {
		return nil, ErrNotAuthentic
	}
	return key, nil
}

func (g *Guard) authentic(r *http.Request, key []byte, now time.Time) bool {
	seconds, err := strconv.ParseInt(r.Header.Get(headerTime), 10, 64)
	if err != nil || signature.CheckTime(time.Unix(seconds, 0), now, Tolerance) != nil {
		return false
	}
	var mac [sha256.Size]byte
	if err := signature.DecodeHex(mac[:], r.Header.Get(headerSignature)); err != nil {
		return false
	}
	if _, matches := (signature.Keys{key}).Match(mac[:], func(key []byte) []byte { return sum(r.Header, r.URL.Path, key) }); !matches {
		return false
	}
	if r.Header.Get(headerNonce) == "" {
		return g.AllowUnaddressed
	}
	return g.isForMe(r.Header.Get(headerTo))
}

func (g *Guard) isForMe(to string) bool {
	if !g.Self.IsValid() {
		return true
	}
	address, err := netip.ParseAddrPort(to)
	if err != nil || address.Port() != g.Self.Port() {
		return false
	}
	local, err := net.InterfaceAddrs()
	return err == nil && isLocal(address.Addr(), local)
}

// first reports whether a message comes for the first time. Those without a nonce may be equal and are not remembered.
func (g *Guard) first(h http.Header, now time.Time) bool {
	if g.AllowRepeats || h.Get(headerNonce) == "" {
		return true
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if second := now.Unix(); g.seen == nil || second != g.swept {
		g.sweep(second)
	}
	id := h.Get(headerSignature)
	if _, again := g.seen[id]; again || len(g.seen) >= maxNonces {
		return false
	}
	g.seen[id] = now.Add(2 * Tolerance).Unix()
	return true
}

// sweep forgets what is too old to be believed.
func (g *Guard) sweep(second int64) {
	if g.seen == nil {
		g.seen = map[string]int64{}
	}
	for id, until := range g.seen {
		if until < second {
			delete(g.seen, id)
		}
	}
	g.swept = second
}

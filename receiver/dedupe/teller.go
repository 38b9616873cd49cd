package dedupe

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/peer"
)

const (
	// tellEvery is how long an identity may wait until the other pods are told.
	tellEvery = 200 * time.Millisecond
	// beat is how often a pod that has nothing to tell says that it is there, and silence how long it may not be heard of until it
	// counts as gone. A provider waits longer for its first retry.
	beat    = time.Second
	silence = 5 * time.Second
	// findEvery is how often the other pods are looked up.
	findEvery = 5 * time.Second
	// postTimeout bounds one message.
	postTimeout = 2 * time.Second
	// leaveTimeout bounds the messages of a pod that ends, and maxKept the identities in them, 16 MB.
	leaveTimeout = 15 * time.Second
	maxKept      = 1_000_000
)

// Teller tells the other pods what this one has stored.
type Teller struct {
	// Pods is where the identities are collected.
	Pods *Pods
	// Peers are the other pods.
	Peers *peer.Peers
	// Origin is the name of this process, which no other has.
	Origin string
	// Logger takes what an operator has to know.
	Logger *slog.Logger

	client *http.Client
	mu     sync.Mutex
	peers  map[netip.AddrPort]*listener
}

// listener is a pod that is told.
type listener struct {
	address  netip.AddrPort
	origin   string // of the process that answered last
	next     uint64 // the number of the first identity that it has not been told
	sequence uint64
	told     time.Time
	busy     bool
}

// Run tells until ctx ends. It never delays a request: what cannot be told is forgotten.
func (t *Teller) Run(ctx context.Context) {
	t.client = peer.NewClient(1)
	defer t.client.CloseIdleConnections()
	tick := time.NewTicker(tellEvery)
	defer tick.Stop()
	var found time.Time
	for {
		if now := time.Now(); now.Sub(found) >= findEvery {
			found = now
			t.find(ctx)
		}
		t.tellAll(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// find looks up the other pods. Those that are found no more are told nothing more.
func (t *Teller) find(ctx context.Context) {
	addresses, err := t.Peers.Find(ctx)
	if err != nil {
		t.Logger.Debug("no other pod is known", "error", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	current := make(map[netip.AddrPort]*listener, len(addresses))
	for _, a := range addresses {
		if current[a] = t.peers[a]; current[a] == nil {
			current[a] = &listener{address: a}
		}
	}
	t.peers = current
}

// tellAll begins a message to each pod that is due one.
func (t *Teller) tellAll(ctx context.Context) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, l := range t.peers {
		hashes, next := t.Pods.own.since(l.next, maxHashes)
		if l.busy || len(hashes) == 0 && time.Since(l.told) < beat {
			continue
		}
		l.busy, l.told = true, time.Now()
		l.sequence++
		m := message{Origin: t.Origin, Sequence: l.sequence, ValidMillis: silence.Milliseconds()}
		go t.tell(ctx, l, m, hashes, next)
	}
}

func (t *Teller) tell(ctx context.Context, l *listener, m message, hashes []journal.KeyHash, next uint64) {
	origin, err := t.post(ctx, l.address, m, hashes)
	if err != nil {
		t.Logger.Debug("a pod could not be told what is stored here", "error", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	l.busy = false
	switch {
	case err != nil:
	case l.origin != "" && l.origin != origin:
		l.origin, l.next = origin, 0 // it has started again and knows nothing
	default:
		l.origin, l.next = origin, next
	}
}

func (t *Teller) post(ctx context.Context, to netip.AddrPort, m message, hashes []journal.KeyHash) (origin string, err error) {
	body, err := m.encode(hashes)
	if err != nil {
		return "", err
	}
	answer, err := t.Peers.Post(ctx, t.client, to, peer.Message{Path: Path, MediaType: mediaType, Body: body, Timeout: postTimeout})
	return answer.Get(headerOrigin), err
}

// Leave tells the other pods that this one ends and that others hold all it held, so that what it has stored stays known, and has
// them keep the identities of its journal. Run must have ended.
func (t *Teller) Leave(ctx context.Context, keys journal.KeyKeeper) {
	ctx, cancel := context.WithTimeout(ctx, leaveTimeout)
	defer cancel()
	t.client = peer.NewClient(1)
	defer t.client.CloseIdleConnections()
	t.find(ctx)
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.peers) == 0 {
		return
	}
	var kept []journal.KeyHash
	if err := keys.KeyHashes(ctx, func(h journal.KeyHash) bool { kept = append(kept, h); return len(kept) < maxKept }); err != nil {
		t.Logger.Warn("other pods will not recognise all repeats of what was accepted here", "error", err)
	}
	var group sync.WaitGroup
	for _, l := range t.peers {
		group.Go(func() { t.leave(ctx, l, kept) })
	}
	group.Wait()
}

func (t *Teller) leave(ctx context.Context, l *listener, kept []journal.KeyHash) {
	say := func(m message, hashes []journal.KeyHash) error {
		l.sequence++
		m.Origin, m.Sequence, m.ValidMillis = t.Origin, l.sequence, silence.Milliseconds()
		_, err := t.post(ctx, l.address, m, hashes)
		return err
	}
	rest, next := t.Pods.own.since(l.next, maxHashes)
	for len(rest) > 0 && say(message{}, rest) == nil {
		rest, next = t.Pods.own.since(next, maxHashes)
	}
	if err := say(message{Left: true}, nil); err != nil {
		t.Logger.Info("a pod was not told that this one ends", "error", err)
		return
	}
	for len(kept) > 0 {
		n := min(len(kept), maxHashes)
		if err := say(message{Left: true, Keep: true}, kept[:n]); err != nil {
			t.Logger.Info("a pod does not keep what was accepted here", "error", err)
			return
		}
		kept = kept[n:]
	}
}

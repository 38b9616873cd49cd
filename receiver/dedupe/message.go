package dedupe

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/peer"
)

const (
	// Path is where a receiver is told what others have stored.
	Path      = "/v1/handoff/keys"
	mediaType = "application/json"
	// maxHashes bounds the identities of one message, and maxBody its length: base64 of them, and the rest.
	maxHashes = 20_000
	maxBody   = int64(maxHashes*len(journal.KeyHash{})*4/3 + 4<<10)
	// headerOrigin of an answer names the process, so that one that has started again is told everything.
	headerOrigin = "Mailvane-Origin"
)

// message is what one pod tells another. It is a contract between releases.
type message struct {
	// Origin is the process that speaks, by a name that no other has.
	Origin string `json:"origin"`
	// Sequence grows with each message of an origin to a pod; one that is not larger than the last is an old one that came again.
	Sequence uint64 `json:"sequence"`
	// ValidMillis is how long the origin counts as being there, in milliseconds.
	ValidMillis int64 `json:"validMillis"`
	// Hashes are the identities that it has stored, 16 bytes each, one behind the other.
	Hashes []byte `json:"hashes,omitzero"`
	// Left says that it ends, and that others have all it held; Keep that the pod is to keep these identities as its own.
	Left bool `json:"left,omitzero"`
	Keep bool `json:"keep,omitzero"`
}

func (m *message) encode(hashes []journal.KeyHash) ([]byte, error) {
	m.Hashes = make([]byte, 0, len(hashes)*len(journal.KeyHash{}))
	for _, h := range hashes {
		m.Hashes = append(m.Hashes, h[:]...)
	}
	return json.Marshal(m)
}

func (m *message) hashes() []journal.KeyHash {
	const size = len(journal.KeyHash{})
	hashes := make([]journal.KeyHash, 0, len(m.Hashes)/size)
	for rest := m.Hashes; len(rest) >= size; rest = rest[size:] {
		hashes = append(hashes, journal.KeyHash(rest))
	}
	return hashes
}

// Handler takes what other pods tell.
type Handler struct {
	// Guard decides what is taken. It may allow repeats.
	Guard *peer.Guard
	// Pods learns it.
	Pods *Pods
	// Keep stores identities in this pod's own journal.
	Keep func(ctx context.Context, hashes []journal.KeyHash) error
	// Origin is the name of this process.
	Origin string
}

// ServeHTTP answers 200 with a proof, 401 to a message that is not authentic, 400 to one that cannot be read, 503 when it cannot be kept.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	key, err := h.Guard.Check(r, time.Now())
	if err != nil {
		http.Error(w, "not authentic", http.StatusUnauthorized)
		return
	}
	if status, err := h.take(w, r); err != nil {
		http.Error(w, err.Error(), status)
		return
	}
	peer.Prove(w.Header(), r.Header, key)
	w.Header().Set(headerOrigin, h.Origin)
	w.WriteHeader(http.StatusOK)
}

func (h *Handler) take(w http.ResponseWriter, r *http.Request) (status int, err error) {
	body, err := peer.ReadBody(w, r, maxBody)
	if err != nil {
		return http.StatusBadRequest, err
	}
	var m message
	if err := json.Unmarshal(body, &m); err != nil || m.Origin == "" {
		return http.StatusBadRequest, errors.New("no message of a receiver")
	}
	hashes := m.hashes()
	if m.Keep {
		if err := h.Keep(r.Context(), hashes); err != nil {
			return http.StatusServiceUnavailable, errors.New("the identities cannot be kept now")
		}
		hashes = nil
	}
	h.Pods.known.tell(&m, hashes)
	return http.StatusOK, nil
}

package handoff

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/peer"
)

// HandlerOptions are what a Handler needs.
type HandlerOptions struct {
	// Guard decides which parcels are taken.
	Guard *peer.Guard
	// Journal takes the parcels.
	Journal journal.Journal
	// Accepting says whether parcels are taken: not before the receiver is ready, and not when it is itself about to stop.
	Accepting func() bool
	// DedupeKeys returns the keys by which a provider's retry of a stored event is recognised.
	DedupeKeys func(payload []byte) []string
	// Taken is told of parcels that are stored: which sink they are owed to, if any, and how many events and dead letters.
	Taken func(ctx context.Context, sink string, count int)
	// Logger takes what an operator has to know.
	Logger *slog.Logger
}

// Handler takes parcels of other pods.
type Handler struct {
	options HandlerOptions
	// timeout bounds the exchange with another pod, which has given up by then.
	timeout time.Duration
	// taking is held for reading while a parcel is being stored.
	taking sync.RWMutex
	// memory lets one parcel be in memory at a time: they may be large, and nobody waits for an answer but a pod that stops.
	memory chan struct{}
}

// NewHandler returns a handler for [Path].
func NewHandler(o HandlerOptions) *Handler {
	return &Handler{options: o, timeout: postTimeout, memory: make(chan struct{}, 1)}
}

// Drain waits for the parcels that are being stored. Accepting must be false by then.
func (h *Handler) Drain() {
	h.taking.Lock()
	defer h.taking.Unlock()
}

// ServeHTTP answers 200 with the proof when a parcel is on stable storage, 503 when another pod should be asked, 401 when it is not
// authentic.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), h.timeout)
	defer cancel()
	deadline, _ := ctx.Deadline()
	_ = http.NewResponseController(w).SetReadDeadline(deadline) // every connection of a server has one
	if status, err := h.take(ctx, w, r); err != nil {
		http.Error(w, err.Error(), status)
		return
	}
	w.WriteHeader(http.StatusOK)
}

var errNotNow = errors.New("this pod takes nothing over now")

// take reads and stores a parcel, and proves it. The body of a stranger, or of one who comes too late, is not read.
func (h *Handler) take(ctx context.Context, w http.ResponseWriter, r *http.Request) (status int, err error) {
	if !h.options.Accepting() {
		return http.StatusServiceUnavailable, errNotNow
	}
	key, err := h.options.Guard.Check(r, time.Now())
	if errors.Is(err, peer.ErrNotAuthentic) {
		return http.StatusUnauthorized, err
	}
	if err != nil {
		h.options.Logger.Error("nothing can be handed off to this pod", "error", err)
		return http.StatusServiceUnavailable, errors.New("this pod has no key")
	}
	select {
	case h.memory <- struct{}{}:
		defer func() { <-h.memory }()
	case <-ctx.Done():
		return http.StatusServiceUnavailable, errors.New("this pod is busy with other parcels")
	}
	p, status, err := read(w, r)
	if err != nil {
		return status, err
	}
	if status, err := h.store(ctx, p); err != nil {
		return status, err
	}
	peer.Prove(w.Header(), r.Header, key)
	return http.StatusOK, nil
}

// read reads a parcel whose headers are authentic.
func read(w http.ResponseWriter, r *http.Request) (*parcel, int, error) {
	body, err := peer.ReadBody(w, r, maxParcelBytes)
	switch tooLarge, large := errors.AsType[*http.MaxBytesError](err); {
	case large:
		return nil, http.StatusRequestEntityTooLarge, fmt.Errorf("a parcel may have %d bytes", tooLarge.Limit)
	case errors.Is(err, peer.ErrNotAuthentic):
		return nil, http.StatusUnauthorized, err
	case err != nil:
		return nil, http.StatusRequestTimeout, errors.New("the parcel did not come whole")
	}
	read := decodePrevious
	if r.Header.Get("Content-Type") == mediaType {
		read = decode
	}
	p, err := read(body)
	if err != nil {
		return nil, http.StatusBadRequest, fmt.Errorf("read parcel: %w", err)
	}
	return p, http.StatusOK, nil
}

// store stores a parcel, unless this pod has begun to stop while it was read: then nothing may be added to the journal.
func (h *Handler) store(ctx context.Context, p *parcel) (status int, err error) {
	h.taking.RLock()
	defer h.taking.RUnlock()
	if !h.options.Accepting() {
		return http.StatusServiceUnavailable, errNotNow
	}
	if _, err := h.options.Journal.Append(ctx, h.batch(p)); err != nil {
		h.options.Logger.Error("what another pod hands off could not be stored", "error", err)
		return http.StatusServiceUnavailable, errors.New("it cannot be stored now")
	}
	h.options.Taken(ctx, p.Sink, len(p.Deliveries)+len(p.DeadLetters))
	return http.StatusOK, nil
}

// batch returns what to store. A delivery is never taken for a duplicate of an event that this journal has from elsewhere:
// that one may have been owed to other sinks. The event's own keys are kept beside it, for the retries of its provider.
func (h *Handler) batch(p *parcel) journal.Batch {
	var b journal.Batch
	for i := range p.Deliveries {
		d := &p.Deliveries[i]
		b.Entries = append(b.Entries,
			journal.Entry{
				DedupeKeys:  []string{fmt.Sprintf("handoff\x00%s\x00%s\x00%d", p.Origin, p.Sink, d.Sequence)},
				OrderingKey: d.OrderingKey, Sinks: []string{p.Sink}, AcceptedAt: d.AcceptedAt, Payload: d.Payload,
			},
			journal.Entry{DedupeKeys: h.options.DedupeKeys(d.Payload), AcceptedAt: d.AcceptedAt})
	}
	for i := range p.DeadLetters {
		d := p.DeadLetters[i]
		d.DedupeKey = fmt.Sprintf("handoff\x00%s\x00dead\x00%d", p.Origin, d.ID)
		b.DeadLetters = append(b.DeadLetters, d)
	}
	return b
}

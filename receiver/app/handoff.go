package app

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"github.com/mailvane/mailvane/receiver/endpoint"
	"github.com/mailvane/mailvane/receiver/handoff"
	"github.com/mailvane/mailvane/receiver/metrics"
	"github.com/mailvane/mailvane/receiver/peer"
)

// Handoff says how what a receiver holds gets to another pod of the same receiver when it stops. It is meant for journals whose
// disk goes with the pod.
type Handoff struct {
	// Peers is "host:port"; the host resolves to the ready pods of the receiver. Empty = nothing is handed off or taken.
	Peers string
	// Self is where this receiver's admin API listens.
	Self netip.AddrPort
	// Key returns the key that the pods share.
	Key func() ([]byte, error)
	// Timeout bounds the time that it may take.
	Timeout time.Duration
	// TerminationLog is the file that tells what could be given to nobody; empty = none. Kubernetes keeps what a container
	// wrote there in the pod's status.
	TerminationLog string
}

// StrandedPrefix begins what is written to the termination log.
const StrandedPrefix = "HandoffFailed: "

// peers returns the other pods of the receiver.
func (h *Handoff) peers() *peer.Peers { return &peer.Peers{Address: h.Peers, Self: h.Self, Key: h.Key} }

func (r *Receiver) newTaker() *handoff.Handler {
	h := &r.options.Handoff
	if h.Peers == "" {
		return nil
	}
	return handoff.NewHandler(handoff.HandlerOptions{
		Guard: &peer.Guard{Key: h.Key, Self: h.Self, AllowUnaddressed: true}, Journal: r.options.Journal, Accepting: r.Ready,
		DedupeKeys: endpoint.StoredKeys, Taken: r.taken, Logger: r.options.Logger,
	})
}

// taken counts what another pod handed off, and sees to it that somebody works on its sink.
func (r *Receiver) taken(ctx context.Context, sink string, count int) {
	r.metrics.Handoff(metrics.HandoffTaken, count)
	if sink != "" {
		r.sinks.Adopt(ctx, sink)
	}
}

// handOff gives what is left in the journal to other pods, and reports whether nothing is left. The journal is asked what it holds only after it was recalled: one
// whose store was opened again a moment ago has not counted it before.
func (r *Receiver) handOff(ctx context.Context) bool {
	h := &r.options.Handoff
	j, ok := r.options.Journal.(handoff.Recaller)
	if h.Peers == "" || !ok {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, h.Timeout)
	defer cancel()
	moved, err := handoff.Empty(ctx, j, h.peers())
	r.metrics.Handoff(metrics.HandoffGiven, moved)
	if moved > 0 {
		r.options.Logger.Info("other pods have taken over events that were not delivered", "events", moved)
	}
	if left := handoff.Held(j); left > 0 || err != nil {
		r.stranded(left, err)
		return false
	}
	return true
}

// stranded says that events are left which nobody took. There may be any number when the journal could not be read.
func (r *Receiver) stranded(left int, err error) {
	h := &r.options.Handoff
	r.metrics.Handoff(metrics.HandoffStranded, left)
	r.options.Logger.Error("events stay in the journal of a pod that stops; they are lost if its disk goes with it", "events", left, "error", err)
	if h.TerminationLog == "" {
		return
	}
	text := fmt.Sprintf("%s%d undelivered events and dead letters stay in the journal of this pod: %v", StrandedPrefix, left, err)
	if left == 0 {
		text = fmt.Sprintf("%sthe journal of this pod cannot be read, and may hold undelivered events: %v", StrandedPrefix, err)
	}
	if err := os.WriteFile(h.TerminationLog, []byte(text), 0o600); err != nil {
		r.options.Logger.Warn("termination log cannot be written", "error", err)
	}
}

// handoff returns the options; self is the address of the admin API.
func (s *Settings) handoff(self string) (Handoff, error) {
	if s.Peers == "" {
		return Handoff{}, nil
	}
	if s.HandoffKey == "" {
		return Handoff{}, errors.New("--peers needs --handoff-key")
	}
	if self == "" {
		return Handoff{}, errors.New("--peers needs --admin-listen: peers hand off to it")
	}
	address, err := netip.ParseAddrPort(self)
	if err != nil {
		return Handoff{}, fmt.Errorf("--admin-listen: %w", err)
	}
	key := peer.ReadKey(s.HandoffKey)
	if _, err := key(); err != nil {
		return Handoff{}, fmt.Errorf("--handoff-key: %w", err)
	}
	return Handoff{Peers: s.Peers, Self: address, Key: key, Timeout: s.HandoffTimeout, TerminationLog: s.TerminationLog}, nil
}

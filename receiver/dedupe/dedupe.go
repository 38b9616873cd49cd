// Package dedupe lets a receiver recognise events that another pod of the same receiver has stored: a provider's retry may come to
// any of them, and each has a journal of its own.
//
// Each pod tells the others the identities of what it has stored, a moment after it was answered. What they know of it is not as
// good as a journal: an identity counts only while the pod that has stored the event is heard of, or after it has left and handed off all that it
// held. Of a pod that went silent nothing is known, so what may be lost with it is accepted once more.
package dedupe

import (
	"context"

	"github.com/mailvane/mailvane/receiver/journal"
)

// Appender stores what a request brought; see [journal.Journal].
type Appender interface {
	// Append returns once the batch is on stable storage.
	Append(ctx context.Context, b journal.Batch) (journal.Receipt, error)
}

// Pods is an Appender before a journal. It leaves out what other pods have stored.
type Pods struct {
	journal Appender
	known   *known
	own     *ring
}

// NewPods returns an Appender before j.
func NewPods(j Appender) *Pods { return &Pods{journal: j, known: newKnown(), own: &ring{}} }

// Append stores what no other pod has, and counts the rest among the duplicates. Events that come to two pods at the same moment are
// accepted by both.
func (p *Pods) Append(ctx context.Context, b journal.Batch) (journal.Receipt, error) {
	hashes := make([]journal.KeyHash, 0, len(b.Entries))
	kept := b.Entries[:0:0]
	for i := range b.Entries {
		entry := &b.Entries[i]
		from := len(hashes)
		for _, key := range entry.DedupeKeys {
			hashes = append(hashes, journal.HashKey(key))
		}
		if p.known.any(hashes[from:]) {
			hashes = hashes[:from]
			continue
		}
		kept = append(kept, *entry)
	}
	duplicates := len(b.Entries) - len(kept)
	b.Entries = kept
	if duplicates > 0 && len(kept)+len(b.DeadLetters)+len(b.Resolves) == 0 {
		return journal.Receipt{Duplicates: duplicates}, nil
	}
	receipt, err := p.journal.Append(ctx, b)
	if err != nil {
		return receipt, err
	}
	p.own.add(hashes)
	receipt.Duplicates += duplicates
	return receipt, nil
}

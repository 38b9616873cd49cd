package app

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/mailvane/mailvane/receiver/dedupe"
	"github.com/mailvane/mailvane/receiver/intake"
	"github.com/mailvane/mailvane/receiver/journal"
	"github.com/mailvane/mailvane/receiver/peer"
)

// pods is how the pods of a receiver recognise what another of them has stored; nil where there are no others, or where they share a journal.
type pods struct {
	*dedupe.Pods
	teller  dedupe.Teller
	handler dedupe.Handler
	keys    journal.KeyKeeper
	end     context.CancelFunc
	ended   chan struct{} // nil before begin
}

func newPods(o *Options) *pods {
	h := &o.Handoff
	keys, ok := o.Journal.(journal.KeyKeeper)
	if h.Peers == "" || !ok {
		return nil
	}
	p := &pods{Pods: dedupe.NewPods(o.Journal), keys: keys}
	origin := rand.Text()
	p.teller = dedupe.Teller{Pods: p.Pods, Peers: h.peers(), Origin: origin, Logger: o.Logger}
	p.handler = dedupe.Handler{
		Guard: &peer.Guard{Key: h.Key, Self: h.Self, AllowRepeats: true}, Pods: p.Pods, Origin: origin,
		Keep: func(ctx context.Context, hashes []journal.KeyHash) error {
			var b journal.Batch
			for _, hash := range hashes {
				b.Entries = append(b.Entries, journal.Entry{KeyHashes: []journal.KeyHash{hash}, AcceptedAt: time.Now()})
			}
			_, err := o.Journal.Append(ctx, b)
			return err
		},
	}
	return p
}

// begin tells the other pods what is stored, until stop: also while this one drains.
func (p *pods) begin(ctx context.Context) {
	if p == nil {
		return
	}
	ctx, end := context.WithCancel(context.WithoutCancel(ctx))
	p.end, p.ended = end, make(chan struct{})
	go func() {
		defer close(p.ended)
		p.teller.Run(ctx)
	}()
}

// stop ends that. If nothing is left here, the others are told that what was stored here is with them.
func (p *pods) stop(ctx context.Context, nothingLeft bool) {
	if p == nil || p.ended == nil {
		return
	}
	p.end()
	<-p.ended
	if nothingLeft {
		p.teller.Leave(ctx, p.keys)
	}
}

// appender returns where requests are stored.
func (p *pods) appender(j journal.Journal) intake.Appender {
	if p == nil {
		return j
	}
	return p
}

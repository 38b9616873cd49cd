package app

import (
	"context"
	"fmt"
	"time"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/event"
	"github.com/mailvane/mailvane/receiver/journal"
)

// oversized returns the endpoints whose largest bodies may become events that the journal does not take. Nobody has to wait for the
// first of them: it would be a dead letter that cannot be retried.
func oversized(current *loadedConfig, limit int64) []config.Problem {
	if current == nil || limit <= 0 {
		return nil
	}
	var problems []config.Problem
	for i := range current.config.Endpoints {
		e := &current.config.Endpoints[i]
		needed := e.MaxBodyBytes + event.MaxRecordBytes
		if needed <= limit {
			continue
		}
		problems = append(problems, config.Problem{
			Endpoint: e.Namespace + "/" + e.Name, Kind: config.EventTooLarge, Since: current.at, Last: current.at,
			Message: fmt.Sprintf("bodies may have %d bytes, and the journal takes events of at most %d, by the max_payload of its NATS servers, which is to be %d bytes larger",
				e.MaxBodyBytes, limit, needed-limit),
		})
	}
	return problems
}

// maxPayload returns the size of the largest event that the journal takes; 0 = any, or that is not known yet.
func (r *Receiver) maxPayload() int64 {
	if bounded, ok := r.options.Journal.(journal.Bounded); ok {
		return int64(bounded.MaxPayload())
	}
	return 0
}

// problems returns what goes wrong at the endpoints, at most [config.MaxProblems].
func (r *Receiver) problems(now time.Time) []config.Problem {
	all := append(r.handler.Table().Problems(now), oversized(r.current.Load(), r.maxPayload())...)
	return all[:min(len(all), config.MaxProblems)]
}

// boundPoll is how often it is looked whether the journal's bound, or the configuration, is another.
const boundPoll = time.Second

// tellOversized logs which endpoints take larger bodies than the journal, when that is known and whenever it changes.
func (r *Receiver) tellOversized(ctx context.Context) {
	if _, ok := r.options.Journal.(journal.Bounded); !ok {
		return
	}
	tick := time.NewTicker(boundPoll)
	defer tick.Stop()
	var told struct {
		current *loadedConfig
		limit   int64
	}
	for {
		if current, limit := r.current.Load(), r.maxPayload(); current != told.current || limit != told.limit {
			told.current, told.limit = current, limit
			for _, p := range oversized(current, limit) {
				r.options.Logger.Warn("large events of an endpoint will be dead letters that cannot be retried", "endpoint", p.Endpoint, "problem", p.Message)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

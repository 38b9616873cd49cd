// Package sinkbatch splits a batch into the requests that a service takes, and makes one error of what becomes of them.
package sinkbatch

import (
	"context"
	"maps"

	"github.com/mailvane/mailvane/receiver/sink"
)

// Limits bound one request. A message that is larger than Bytes goes alone, and the service decides.
type Limits struct {
	// Messages is how many it has at most, and Bytes how large they are together.
	Messages, Bytes int
}

// Sender sends the messages at some positions in one request. It returns why each of those failed that did, or why all did, as errors of Send.
type Sender func(ctx context.Context, positions []int) (failed map[int]error, err error)

// SendAll sends messages of given sizes in as many requests as they need, in order, and returns the error of Send. A request that will never be taken is
// sent again message by message, so that nobody suffers for another. With a request that fails for now, what follows it has failed as it has.
func SendAll(ctx context.Context, sizes []int, l Limits, send Sender) error {
	all := map[int]error{}
	alone := 0 // messages before this one go by themselves
	for at := 0; at < len(sizes); {
		positions := l.fitting(sizes, at)
		if at < alone {
			positions = positions[:1]
		}
		failed, err := send(ctx, positions)
		switch {
		case err == nil:
			maps.Copy(all, failed)
			at += len(positions)
		case sink.IsPermanent(err) && len(positions) == 1:
			all[at] = err
			at++
		case sink.IsPermanent(err):
			alone = at + len(positions)
		case at == 0:
			return err
		default:
			for i := at; i < len(sizes); i++ {
				all[i] = err
			}
			return sink.Partial(all)
		}
	}
	return sink.Partial(all)
}

// fitting returns the positions, from one on, of what goes into one request.
func (l Limits) fitting(sizes []int, from int) (positions []int) {
	total := 0
	for i := from; i < len(sizes) && len(positions) < l.Messages; i++ {
		if total += sizes[i]; len(positions) > 0 && total > l.Bytes {
			break
		}
		positions = append(positions, i)
	}
	return positions
}

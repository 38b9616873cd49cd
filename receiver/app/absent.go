package app

import (
	"context"
	"errors"

	"github.com/mailvane/mailvane/receiver/config"
	"github.com/mailvane/mailvane/receiver/sink"
)

// absentKind is the kind of a sink that is owed events but configured no more.
const absentKind = "Absent"

var errAbsent = errors.New("the sink is not configured any more; apply its EventSink again, or drop its events when they are dead letters")

// absentSink takes nothing, for now.
type absentSink struct{}

// Send always fails for the moment.
func (absentSink) Send(context.Context, []sink.Message) error { return errAbsent }

// Close does nothing.
func (absentSink) Close() error { return nil }

// newAbsentShip returns a ship for a queue. What its last ship, which may be nil, would have kept for longer is kept as long.
func newAbsentShip(name string, last *ship) *ship {
	s := &ship{name: name, kind: absentKind, sink: absentSink{}, delivery: absentDelivery()}
	if last != nil {
		s.delivery.MaxAgeSeconds = max(s.delivery.MaxAgeSeconds, last.delivery.MaxAgeSeconds)
	}
	return s
}

// absentDelivery tries seldom and gives up after the default maximum age of three days.
// It is by key because order lasts only while every worker of a queue keeps it, and the sink may come back.
func absentDelivery() config.Delivery {
	return config.Delivery{
		MaxInFlight: 1, BatchMaxEvents: 500, BatchMaxBytes: 1 << 20, TimeoutSeconds: 1,
		InitialBackoffMilliseconds: 15_000, MaxBackoffSeconds: 300, MaxAgeSeconds: 259_200, Ordering: config.ByKey,
	}
}

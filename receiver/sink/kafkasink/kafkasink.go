// Package kafkasink produces events to topics of Kafka, and of services that speak its protocol, one record for each event, as the
// CloudEvents Kafka protocol binding 1.0.2 says. The key of a record is the event's partition key.
package kafkasink

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	common "github.com/mailvane/mailvane/receiver/settings"
	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/kafkasink/settings"
	"github.com/mailvane/mailvane/receiver/sink/template"
)

// Kind returns the sink kind "Kafka".
func Kind() sink.Kind { return sink.Kind{Type: "Kafka", New: newSink} }

// kafkaSink is one destination.
type kafkaSink struct {
	topic  template.Template
	binary bool
	// authenticates says that brokers are shown more than a certificate.
	authenticates bool
	// options are those of every client, and single makes of a client one whose records are alone in their batches.
	options, single []kgo.Opt

	mu       sync.Mutex
	producer *producer
	// alone is made when it is needed.
	alone  *producer
	closed bool
	// known are topics that were there when the brokers were asked, and nothing has failed since.
	known map[string]bool
	// turn is held by who sends records by themselves.
	turn chan struct{}
}

var (
	_ sink.AttributeReader = (*kafkaSink)(nil)
	_ sink.Prober          = (*kafkaSink)(nil)
)

func newSink(data []byte, env sink.Environment) (sink.Sink, error) {
	parsed, err := settings.Parse(data, common.Environment{})
	if err != nil {
		return nil, err
	}
	return open(&parsed, env.Dialer(connectTimeout))
}

func open(p *settings.Parsed, dialer *net.Dialer) (*kafkaSink, error) {
	options, err := clientOptions(p, dialer)
	if err != nil {
		return nil, err
	}
	s := &kafkaSink{
		topic: p.Topic, binary: p.ContentMode == settings.ContentModeBinary, authenticates: p.Authentication != (settings.Authentication{}),
		options: options, single: []kgo.Opt{kgo.MaxBufferedRecords(1)},
		known: map[string]bool{}, turn: make(chan struct{}, 1),
	}
	if s.producer, err = newProducer(options); err != nil {
		return nil, err
	}
	return s, nil
}

// ReadsAttributes returns true: topics are made of them.
func (s *kafkaSink) ReadsAttributes() bool { return true }

// Send produces the messages, in order, and returns nil when all replicas that are in sync have each.
func (s *kafkaSink) Send(ctx context.Context, batch sink.Batch) error {
	if err := ctx.Err(); err != nil || len(batch.Messages) == 0 {
		return err
	}
	failed := map[int]error{}
	records := s.records(batch.Messages, failed)
	if err := s.find(ctx, records, failed); err != nil {
		return err
	}
	p := s.current()
	c := p.produce(batch.Messages, records, failed) //nolint:contextcheck // records go on being sent when a send has ended
	if err := s.await(ctx, c, topicsOf(records)); err != nil {
		p.leave(c, err)
	}
	s.sendAlone(ctx, records, failed)
	s.learn(p, failed)
	return outcome(len(batch.Messages), failed)
}

// diagnoseAfter is how long records may be unanswered until the brokers are asked what is wrong.
const diagnoseAfter = 2 * time.Second

// await waits until all records of a call are answered, or it is known why they are not: the client tries again for as long as it is told.
func (s *kafkaSink) await(ctx context.Context, c *call, topics []string) error {
	timer := time.NewTicker(diagnoseAfter)
	defer timer.Stop()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	asked := make(chan error, 1)
	asking := false
	for {
		select {
		case <-c.done:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
			if !asking {
				asking = true
				go func() { asked <- s.diagnose(ctx, topics) }()
			}
		case err := <-asked:
			if err != nil && ctx.Err() == nil {
				return err
			}
			asking = false
		}
	}
}

// diagnose returns why records are not answered, or nil if the brokers say nothing bad.
func (s *kafkaSink) diagnose(ctx context.Context, topics []string) error {
	_, err := s.ask(ctx, topics)
	return err
}

// sendAlone sends records that were refused together with others, each by itself, and so finds out which are to blame: brokers answer for
// batches.
func (s *kafkaSink) sendAlone(ctx context.Context, records []*kgo.Record, failed map[int]error) {
	for i, r := range records {
		if r == nil || !blamesABatch(failed[i]) {
			continue
		}
		err := s.one(ctx, r)
		if blamesABatch(err) {
			err = sink.Permanent(err)
		}
		if failed[i] = err; err == nil {
			delete(failed, i)
		}
	}
}

// one sends one record by itself. Its error is one of Send.
func (s *kafkaSink) one(ctx context.Context, r *kgo.Record) error {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	p, err := s.byItself()
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	p.client.TryProduce(context.WithoutCancel(ctx), copied(r), func(_ *kgo.Record, err error) { done <- err })
	select {
	case err := <-done:
		return classify(err, r.Topic)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close ends the connections. Sends under way fail for the moment.
func (s *kafkaSink) Close() error {
	s.mu.Lock()
	producers := []*producer{s.producer, s.alone}
	s.closed, s.alone = true, nil
	s.mu.Unlock()
	for _, p := range producers {
		if p != nil {
			p.client.Close()
		}
	}
	return nil
}

// Package rabbitmqsink publishes events to an exchange of RabbitMQ by AMQP 0-9-1, one message for each event, and waits for the server's
// confirms.
package rabbitmqsink

import (
	"context"

	common "github.com/mailvane/mailvane/receiver/settings"
	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/rabbitmqsink/settings"
	"github.com/mailvane/mailvane/receiver/sink/template"
)

// Kind returns the sink kind "RabbitMQ".
func Kind() sink.Kind { return sink.Kind{Type: "RabbitMQ", New: newSink} }

// rabbitMQSink is one destination.
type rabbitMQSink struct {
	exchange  string
	key       template.Template
	binary    bool
	connector *connector
}

var (
	_ sink.AttributeReader = (*rabbitMQSink)(nil)
	_ sink.BatchLimiter    = (*rabbitMQSink)(nil)
	_ sink.Prober          = (*rabbitMQSink)(nil)
)

func newSink(data []byte, env sink.Environment) (sink.Sink, error) {
	parsed, err := settings.Parse(data, common.Environment{})
	if err != nil {
		return nil, err
	}
	return &rabbitMQSink{
		exchange: parsed.Exchange, key: parsed.RoutingKey, binary: parsed.ContentMode == settings.ContentModeBinary,
		connector: newConnector(&parsed, env.Dialer(connectTimeout)),
	}, nil
}

// maxBatch is as many messages as may come back unrouted, of which none is dropped.
const maxBatch = 1000

// MaxBatch returns maxBatch.
func (s *rabbitMQSink) MaxBatch() int { return maxBatch }

// ReadsAttributes returns true: routing keys and properties are made of them.
func (s *rabbitMQSink) ReadsAttributes() bool { return true }

// Send publishes the messages, in order, and returns nil when the server has confirmed each, and routed it to a queue.
func (s *rabbitMQSink) Send(ctx context.Context, batch sink.Batch) error {
	if err := ctx.Err(); err != nil || len(batch.Messages) == 0 {
		return err
	}
	session, err := s.connector.session(ctx)
	if err != nil {
		return err
	}
	failed := s.publish(ctx, session, batch.Messages)
	s.publishAlone(ctx, session, batch.Messages, failed)
	return outcome(len(batch.Messages), failed)
}

// publishAlone publishes again, each by itself, what a server may have refused together with others: it closes the channel on which it gets
// what it refuses, whatever else is on its way there.
func (s *rabbitMQSink) publishAlone(ctx context.Context, session *session, messages []sink.Message, failed map[int]error) {
	for i := range messages {
		if !blamesAMessage(failed[i]) {
			continue
		}
		err := s.publish(ctx, session, messages[i:i+1])[0]
		if blame, ok := err.(*blameError); ok { //nolint:errorlint // it is not wrapped
			err = blame.alone
		}
		if failed[i] = err; err == nil {
			delete(failed, i)
		}
	}
}

// Close ends the connection. Sends under way fail for the moment.
func (s *rabbitMQSink) Close() error {
	s.connector.close()
	return nil
}

package rabbitmqsink

import (
	"context"
	"errors"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/mailvane/mailvane/receiver/sink"
)

// Probe connects, and asks for the exchange, or for the queue where the routing key names only one. Whether the sink's user may write there
// nobody says but who is written to.
func (s *rabbitMQSink) Probe(ctx context.Context) error {
	session, err := s.connector.session(ctx)
	if err != nil {
		return err
	}
	if err := session.alarm(); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, session.cut)
	err = s.ask(session)
	if !stop() {
		return ctx.Err()
	}
	return err
}

// ask asks for the exchange, or for the queue where the default exchange leads to one alone.
func (s *rabbitMQSink) ask(session *session) error {
	channel, err := session.take()
	if err != nil {
		return err
	}
	queue, whole := s.key.Constant()
	switch {
	case s.exchange != "":
		err = channel.ExchangeDeclarePassive(s.exchange, amqp.ExchangeTopic, true, false, false, false, nil) // its kind is not looked at
	case whole:
		_, err = channel.QueueDeclarePassive(queue, true, false, false, false, nil)
	}
	session.release(channel, err == nil)
	if err == nil {
		return nil
	}
	return s.missing(err, queue)
}

// missing says what it means that a server does not confirm that an exchange or a queue is there; nil = it is.
func (s *rabbitMQSink) missing(err error, queue string) error {
	answer, closed := errors.AsType[*amqp.Error](err)
	if !closed {
		return sink.Unreachable(errLost)
	}
	switch answer.Code {
	case amqp.NotFound:
		if s.exchange == "" {
			return notRouted(amqp.Return{RoutingKey: queue})
		}
		return notTaken(answer)
	case amqp.AccessRefused, amqp.ResourceLocked:
		return nil
	default:
		return sink.Unreachable(errLost)
	}
}

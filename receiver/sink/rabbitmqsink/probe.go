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
	answer, closed := errors.AsType[*amqp.Error](err)
	switch {
	case err == nil:
		return nil
	case closed && answer.Code == amqp.NotFound && s.exchange == "":
		return notRouted(amqp.Return{RoutingKey: queue})
	case closed && answer.Code == amqp.NotFound:
		return notTaken(answer)
	case closed && (answer.Code == amqp.AccessRefused || answer.Code == amqp.ResourceLocked):
		return nil // it is there
	}
	return sink.Unreachable(errLost)
}

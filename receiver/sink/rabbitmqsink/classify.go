package rabbitmqsink

import (
	"errors"
	"fmt"
	"strings"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/mailvane/mailvane/receiver/sink"
)

// errLost is transient: a queue may have the message.
var errLost = errors.New("the connection to RabbitMQ was lost before there was a confirm")

// errFull is transient: somebody takes messages out of the queue.
var errFull = errors.New("RabbitMQ refuses the message: a queue is full, with overflow reject-publish, or cannot store it")

// blameError says that a server closed the channel because of a message, and not of which. It is no error of Send.
type blameError struct {
	// alone is the error of the message if it is the only one.
	alone error
}

// Error returns the text of the error of one message.
func (e *blameError) Error() string { return e.alone.Error() }

func blamesAMessage(err error) bool {
	_, blames := errors.AsType[*blameError](err)
	return blames
}

// notTaken is the error of a message on a channel, or connection, that a server has closed.
func notTaken(err *amqp.Error) error {
	switch {
	case err.Code == amqp.PreconditionFailed:
		return &blameError{sink.Permanent(fmt.Errorf("RabbitMQ refuses the event, as one that is larger than max_message_size: %w", err))}
	case err.Code == amqp.AccessRefused && strings.Contains(err.Reason, "access to topic"):
		return &blameError{sink.Because(sink.CredentialRefused, fmt.Errorf("the sink's user may not publish with this routing key; allow it by a topic permission: %w", err))}
	case err.Code == amqp.AccessRefused:
		return sink.Because(sink.CredentialRefused, fmt.Errorf("the sink's user may not write to the exchange; allow it: %w", err))
	case err.Code == amqp.NotFound:
		return sink.Because(sink.DestinationNotFound, fmt.Errorf("the exchange is not there; declare it: %w", err))
	}
	return fmt.Errorf("RabbitMQ has closed the connection before there was a confirm: %w", err)
}

// notRouted is the error of a message that came back.
func notRouted(r amqp.Return) error {
	if r.Exchange == "" {
		return sink.Because(sink.DestinationNotFound, fmt.Errorf("there is no queue %q; declare it", r.RoutingKey))
	}
	return sink.Because(sink.DestinationNotFound,
		fmt.Errorf("no queue gets what is published to exchange %q with routing key %q (%s); bind one, or give the exchange an alternate exchange", r.Exchange, r.RoutingKey, r.ReplyText))
}

// notConnected says why there is no connection.
func notConnected(err error) error {
	answer, ok := errors.AsType[*amqp.Error](err)
	switch {
	case ok && answer.Code == amqp.AccessRefused:
		return sink.Because(sink.CredentialRefused, fmt.Errorf("RabbitMQ refuses the sink's user: %w", err))
	case ok && answer.Code == amqp.NotAllowed && strings.Contains(answer.Reason, "not found"):
		return sink.Because(sink.DestinationNotFound, fmt.Errorf("there is no such virtual host; add it: %w", err))
	case ok && answer.Code == amqp.NotAllowed && strings.Contains(answer.Reason, "refused"):
		return sink.Because(sink.CredentialRefused, fmt.Errorf("the sink's user has no permissions in the virtual host; set some: %w", err))
	}
	return sink.Unreachable(fmt.Errorf("no connection to RabbitMQ: %w", err))
}

// outcome is the error of a batch. When all fail for the moment the first one says how to go on.
func outcome(length int, failed map[int]error) error {
	if len(failed) < length {
		return sink.Partial(failed)
	}
	for _, err := range failed {
		if sink.IsPermanent(err) {
			return sink.Partial(failed)
		}
	}
	return failed[0]
}

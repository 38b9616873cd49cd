package natssink

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/mailvane/mailvane/receiver/sink"
)

// sent is a message that was given to the connection.
type sent struct {
	subject string
	answer  jetstream.PubAckFuture
	denied  <-chan struct{}
}

// publish publishes all messages and then waits for their acknowledgements. It returns those that failed.
func (s *natsSink) publish(ctx context.Context, session *session, messages []sink.Message) map[int]error {
	failed := map[int]error{}
	waiting := make([]sent, len(messages))
	stop := context.AfterFunc(ctx, session.end) // a write that does not end keeps the others waiting, too
	for i := range messages {
		m := s.message(&messages[i])
		waiting[i] = sent{subject: m.Subject, denied: session.deniedTo(m.Subject)}
		var err error
		if waiting[i].answer, err = session.js.PublishMsgAsync(m, jetstream.WithRetryAttempts(0)); err != nil {
			failed[i] = session.notSent(err)
		}
	}
	stop()
	for i := range waiting {
		if failed[i] != nil {
			continue
		}
		if err := waiting[i].wait(ctx, session); err != nil {
			failed[i] = err
		}
	}
	return failed
}

// errLost is transient: the stream may have a message that was sent, and drops it when it comes again.
var errLost = errors.New("the connection to NATS was lost before there was an answer")

// wait waits for what became of a message.
func (w *sent) wait(ctx context.Context, session *session) error {
	select {
	case <-w.answer.Ok():
		return nil
	case err := <-w.answer.Err():
		return w.refused(err)
	case <-w.denied:
		return sink.Because(sink.CredentialRefused, fmt.Errorf("the sink's user may not publish to subject %q; allow that on the NATS server", w.subject))
	case <-session.gone:
		if err := session.why(); err != nil {
			return err
		}
		return errLost
	case <-ctx.Done():
		return ctx.Err()
	}
}

// The error codes of JetStream that mean something to a sink (server/errors.json of nats-server).
const (
	codeTooLarge    jetstream.ErrorCode = 10054 // JSStreamMessageExceedsMaximumErr
	codeOtherStream jetstream.ErrorCode = 10060 // JSStreamNotMatchErr
)

// refused is the error of an answer that is no acknowledgement. Whatever is not known to last is for the moment: a stream that is full, a
// cluster without a leader, an account at its limits.
func (w *sent) refused(err error) error {
	code := jetstream.ErrorCode(0)
	if api, ok := errors.AsType[*jetstream.APIError](err); ok {
		code = api.ErrorCode
	}
	switch {
	case code == codeTooLarge:
		return sink.Permanent(fmt.Errorf("the event is larger than the stream takes (max_msg_size): %w", err))
	case code == codeOtherStream:
		return sink.Because(sink.DestinationNotFound, fmt.Errorf("subject %q goes to another stream than the sink's: %w", w.subject, err))
	case errors.Is(err, nats.ErrNoResponders), errors.Is(err, jetstream.ErrNoStreamResponse):
		return sink.Because(sink.DestinationNotFound, fmt.Errorf("no stream takes subject %q; add one, or the subject to one: nats stream add --subjects %q", w.subject, w.subject))
	default:
		return fmt.Errorf("the stream does not take the event: %w", err)
	}
}

// notSent is the error of a message that was not given to the connection.
func (s *session) notSent(err error) error {
	if why := s.why(); why != nil {
		return why
	}
	if errors.Is(err, nats.ErrMaxPayload) {
		return sink.Permanent(fmt.Errorf("the event is larger than the NATS server takes (max_payload): %w", err))
	}
	return sink.Unreachable(fmt.Errorf("the connection to NATS was lost: %w", err))
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

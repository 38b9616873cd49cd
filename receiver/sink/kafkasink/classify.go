package kafkasink

import (
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/mailvane/mailvane/receiver/sink"
)

// errFull is transient, and asks for no more to be sent.
var errFull = fmt.Errorf("Kafka has not answered for %d MiB of events; no others are sent until it does", maxAbandonedBytes>>20) //nolint:staticcheck // a name

// batchError says that brokers refuse a record together with those of its batch. It is no error of Send yet.
type batchError struct{ err error }

// Error returns the cause's text.
func (e *batchError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *batchError) Unwrap() error { return e.err }

func blamesABatch(err error) bool {
	_, blames := errors.AsType[*batchError](err)
	return blames
}

// classify is the error of a record for a topic, which may be empty. Whatever is not known to last is for the moment: too few replicas in
// sync, no leader, a time-out.
func classify(err error, topic string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, kgo.ErrClientClosed):
		return errClosed
	case errors.Is(err, kgo.ErrMaxBuffered):
		return errors.New("Kafka has not answered for the event before; this one waits for that") //nolint:staticcheck // a name
	case errors.Is(err, kerr.MessageTooLarge), errors.Is(err, kerr.RecordListTooLarge):
		return &batchError{fmt.Errorf("the event is larger than maxRequestBytes of the sink, or max.message.bytes of topic %q: %w", topic, err)}
	case errors.Is(err, kerr.InvalidRecord):
		return &batchError{fmt.Errorf("the brokers' rules for records of topic %q refuse the event: %w", topic, err)}
	case isOfTopic(err):
		return sink.Because(sink.DestinationNotFound, fmt.Errorf("there is no topic %q that takes records; create it: %w", topic, err))
	case errors.Is(err, kerr.TopicAuthorizationFailed):
		return sink.Because(sink.CredentialRefused, fmt.Errorf("the sink may not write to topic %q; allow it the operation Write there: %w", topic, err))
	case errors.Is(err, kerr.ClusterAuthorizationFailed):
		return sink.Because(sink.CredentialRefused, fmt.Errorf("the sink may write to no topic; allow it the operation Write, and before Kafka 3.0 IdempotentWrite "+
			"on the cluster, or set idempotence to Disable: %w", err))
	case isOfCredential(err):
		return sink.Because(sink.CredentialRefused, fmt.Errorf("the brokers refuse the sink's credentials, or its way to show them: %w", err))
	}
	return fmt.Errorf("Kafka does not take the event: %w", err) //nolint:staticcheck // a name
}

func isOfTopic(err error) bool {
	return errors.Is(err, kerr.UnknownTopicOrPartition) || errors.Is(err, kerr.UnknownTopicID) || errors.Is(err, kerr.InvalidTopicException)
}

func isOfCredential(err error) bool {
	for _, refused := range []error{
		kerr.SaslAuthenticationFailed, kerr.UnsupportedSaslMechanism, kerr.IllegalSaslState,
		kerr.TopicAuthorizationFailed, kerr.ClusterAuthorizationFailed,
	} {
		if errors.Is(err, refused) {
			return true
		}
	}
	return false
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

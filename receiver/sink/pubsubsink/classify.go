package pubsubsink

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/mailvane/mailvane/receiver/sink"
)

// throttledFor is how long is waited where Pub/Sub asks to and does not say how long.
const throttledFor = time.Second

// maxWords bounds what is repeated of an answer, in bytes.
const maxWords = 300

// errClosed says that the sink was closed.
var errClosed = errors.New("the sink is closed")

// classify turns an error of the client into one of Send (https://cloud.google.com/pubsub/docs/reference/error-codes).
func (s *pubSubSink) classify(ctx context.Context, err error) error {
	said := status.Convert(err)
	words := fmt.Errorf("Pub/Sub says %s: %s", said.Code(), clip(said.Message()))
	switch said.Code() { //nolint:exhaustive // All others are transient.
	case codes.InvalidArgument, codes.OutOfRange:
		return sink.Permanent(words)
	case codes.NotFound:
		return sink.Because(sink.DestinationNotFound, fmt.Errorf("%w; create the topic %s, or correct topic", words, s.Topic))
	case codes.PermissionDenied, codes.Unauthenticated:
		return sink.Because(sink.CredentialRefused, fmt.Errorf("%w; the sink needs pubsub.topics.publish on the topic (roles/pubsub.publisher)", words))
	case codes.ResourceExhausted:
		return exhausted(said, words)
	case codes.Unavailable:
		if strings.Contains(said.Message(), "Error while dialing") || strings.Contains(said.Message(), "authentication handshake failed") {
			return s.unreachable(err)
		}
	case codes.Canceled, codes.DeadlineExceeded:
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return errClosed
	}
	return words
}

// exhausted tells a message that is larger than a server takes from one that has to wait: gRPC has one code for both.
func exhausted(said *status.Status, words error) error {
	if strings.Contains(said.Message(), "larger than max") {
		return sink.Permanent(words)
	}
	after := throttledFor
	for _, detail := range said.Details() {
		if retry, ok := detail.(*errdetails.RetryInfo); ok {
			after = max(after, retry.GetRetryDelay().AsDuration())
		}
	}
	return sink.Throttled(words, after)
}

func (s *pubSubSink) unreachable(err error) error {
	return sink.Unreachable(fmt.Errorf("no connection to %s: %s", s.Address, clip(status.Convert(err).Message())))
}

func clip(text string) string {
	if len(text) > maxWords {
		return strings.ToValidUTF8(text[:maxWords], "") + " ..."
	}
	return text
}

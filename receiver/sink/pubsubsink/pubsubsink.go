// Package pubsubsink publishes events to a topic of Google Pub/Sub, one message for each event.
package pubsubsink

import (
	"context"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	common "github.com/mailvane/mailvane/receiver/settings"
	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/pubsubsink/settings"
	"github.com/mailvane/mailvane/receiver/sink/sinkbatch"
)

// The bounds of one request (https://cloud.google.com/pubsub/quotas#resource_limits). Of the bytes some are left for what stands around
// messages.
const (
	maxMessages = 1000
	maxBytes    = 10_000_000 - 100_000
)

// Kind returns the sink kind "PubSub".
func Kind() sink.Kind { return sink.Kind{Type: "PubSub", New: newSink} }

// pubSubSink is one destination. The generated client alone is used, without what libraries put around it: batches, retries and the order of
// keys are the worker's.
type pubSubSink struct {
	settings.Parsed

	connection *grpc.ClientConn
	publisher  pubsubpb.PublisherClient
}

var (
	_ sink.AttributeReader = (*pubSubSink)(nil)
	_ sink.Prober          = (*pubSubSink)(nil)
)

func newSink(data []byte, env sink.Environment) (sink.Sink, error) {
	parsed, err := settings.Parse(data, common.Environment{})
	if err != nil {
		return nil, err
	}
	connection, err := connect(&parsed, env)
	if err != nil {
		return nil, err
	}
	return &pubSubSink{Parsed: parsed, connection: connection, publisher: pubsubpb.NewPublisherClient(connection)}, nil
}

// ReadsAttributes returns true: messages have them as attributes.
func (s *pubSubSink) ReadsAttributes() bool { return true }

// Send publishes the messages and returns nil when the topic has all of them. A request is taken as a whole or not at all.
func (s *pubSubSink) Send(ctx context.Context, batch sink.Batch) error {
	if err := ctx.Err(); err != nil || len(batch.Messages) == 0 {
		return err
	}
	sizes := make([]int, len(batch.Messages))
	for i := range batch.Messages {
		sizes[i] = len(batch.Messages[i].Envelope) + perMessage
	}
	limits := sinkbatch.Limits{Messages: maxMessages, Bytes: maxBytes}
	return sinkbatch.SendAll(ctx, sizes, limits, func(ctx context.Context, positions []int) (map[int]error, error) {
		return s.request(ctx, batch.Messages, positions)
	})
}

// request publishes the messages at some positions. One that is no event fails by itself.
func (s *pubSubSink) request(ctx context.Context, messages []sink.Message, positions []int) (map[int]error, error) {
	failed := map[int]error{}
	request := &pubsubpb.PublishRequest{Topic: s.Topic}
	for _, i := range positions {
		m, err := s.message(&messages[i])
		if err != nil {
			failed[i] = sink.Permanent(err)
			continue
		}
		request.Messages = append(request.Messages, m)
	}
	if len(request.Messages) == 0 {
		return failed, nil
	}
	if _, err := s.publisher.Publish(ctx, request); err != nil {
		return nil, s.classify(ctx, err)
	}
	return failed, nil
}

// Probe asks for the topic. Who may publish alone is refused that.
func (s *pubSubSink) Probe(ctx context.Context) error {
	_, err := s.publisher.GetTopic(ctx, &pubsubpb.GetTopicRequest{Topic: s.Topic})
	switch status.Code(err) {
	case codes.OK, codes.PermissionDenied:
		return nil
	case codes.Unavailable: // where nothing was to be sent, a connection that breaks is none
		return s.unreachable(err)
	default:
		return s.classify(ctx, err)
	}
}

// Close closes the connection.
func (s *pubSubSink) Close() error {
	_ = s.connection.Close() // what fails is that it was closed before
	return nil
}

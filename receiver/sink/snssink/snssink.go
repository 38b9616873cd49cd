// Package snssink publishes events to a topic of Amazon SNS, one message for each event.
package snssink

import (
	"context"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	common "github.com/mailvane/mailvane/receiver/settings"
	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/sinkaws"
	"github.com/mailvane/mailvane/receiver/sink/snssink/settings"
)

// Kind returns the sink kind "SNS".
func Kind() sink.Kind { return sink.Kind{Type: "SNS", New: newSink} }

// snsSink is one destination.
type snsSink struct {
	settings.Parsed

	client  *sns.Client
	session *sinkaws.Session
	codes   sinkaws.Codes
}

var (
	_ sink.AttributeReader = (*snsSink)(nil)
	_ sink.Prober          = (*snsSink)(nil)
)

func newSink(data []byte, env sink.Environment) (sink.Sink, error) {
	parsed, err := settings.Parse(data, common.Environment{})
	if err != nil {
		return nil, err
	}
	session := sinkaws.New(sinkaws.Options{Region: parsed.Region, Endpoint: parsed.Endpoint, TLS: parsed.TLS, Account: parsed.Account}, env)
	return &snsSink{Parsed: parsed, client: sns.NewFromConfig(session.Config), session: session, codes: codesOf(&parsed)}, nil
}

// codesOf are what SNS says: https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html#API_PublishBatch_Errors
func codesOf(p *settings.Parsed) sinkaws.Codes {
	return sinkaws.Codes{
		Service:   "SNS",
		Missing:   []string{"NotFound", "NotFoundException"},
		Create:    "create the topic in " + p.Region + ", or correct topicARN",
		Permanent: []string{"BatchRequestTooLong", "BatchRequestTooLongException"},
		Grant:     "the right sns:Publish for the topic, and to use the key of its encryption",
		Hidden:    p.Account.Hidden(),
	}
}

// ReadsAttributes returns true: messages have them as attributes.
func (s *snsSink) ReadsAttributes() bool { return true }

// Send publishes the messages, ten to a request, and returns nil when the topic has all of them.
func (s *snsSink) Send(ctx context.Context, batch sink.Batch) error {
	if err := ctx.Err(); err != nil || len(batch.Messages) == 0 {
		return err
	}
	sizes := make([]int, len(batch.Messages))
	for i := range batch.Messages {
		sizes[i] = sinkaws.SizeOf(&batch.Messages[i])
	}
	return s.codes.SendAll(ctx, sizes, func(ctx context.Context, positions []int) (map[int]error, error) {
		return s.request(ctx, batch.Messages, positions)
	})
}

// request publishes the messages at some positions, under these as their names.
func (s *snsSink) request(ctx context.Context, messages []sink.Message, positions []int) (map[int]error, error) {
	input := &sns.PublishBatchInput{TopicArn: aws.String(s.TopicARN)}
	failed := map[int]error{}
	for _, i := range positions {
		input.PublishBatchRequestEntries = append(input.PublishBatchRequestEntries, s.entry(strconv.Itoa(i), &messages[i]))
		failed[i] = sinkaws.ErrMissingEntry // until it is answered for
	}
	output, err := s.client.PublishBatch(ctx, input)
	if err != nil {
		return nil, err
	}
	for _, sent := range output.Successful {
		if i, err := strconv.Atoi(aws.ToString(sent.Id)); err == nil {
			delete(failed, i)
		}
	}
	for _, refused := range output.Failed {
		if i, err := strconv.Atoi(aws.ToString(refused.Id)); err == nil && failed[i] != nil {
			failed[i] = s.codes.Entry(aws.ToString(refused.Code), aws.ToString(refused.Message))
		}
	}
	return failed, nil
}

func (s *snsSink) entry(name string, m *sink.Message) types.PublishBatchRequestEntry {
	e := types.PublishBatchRequestEntry{Id: aws.String(name), Message: aws.String(string(m.Envelope)), MessageAttributes: map[string]types.MessageAttributeValue{}}
	for name, value := range sinkaws.Attributes(m) {
		e.MessageAttributes[name] = types.MessageAttributeValue{DataType: aws.String(sinkaws.AttributeType), StringValue: aws.String(value)}
	}
	if s.FIFO {
		e.MessageGroupId, e.MessageDeduplicationId = aws.String(sinkaws.GroupOf(m)), aws.String(m.ID)
	}
	return e
}

// Probe asks for the attributes of the topic. Who may publish alone is refused that.
func (s *snsSink) Probe(ctx context.Context) error {
	_, err := s.client.GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: aws.String(s.TopicARN)})
	switch {
	case err != nil && ctx.Err() != nil:
		return ctx.Err()
	case sinkaws.HasCode(err, "AuthorizationError", "AuthorizationErrorException", "AccessDenied"):
		return nil
	}
	return s.codes.Unasked(err)
}

// Close closes idle connections.
func (s *snsSink) Close() error {
	s.session.Close()
	return nil
}

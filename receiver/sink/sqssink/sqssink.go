// Package sqssink sends events to a queue of Amazon SQS, one message for each event.
package sqssink

import (
	"context"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	common "github.com/mailvane/mailvane/receiver/settings"
	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/sinkaws"
	"github.com/mailvane/mailvane/receiver/sink/sqssink/settings"
)

// Kind returns the sink kind "SQS".
func Kind() sink.Kind { return sink.Kind{Type: "SQS", New: newSink} }

// sqsSink is one destination.
type sqsSink struct {
	settings.Parsed

	client  *sqs.Client
	session *sinkaws.Session
	codes   sinkaws.Codes
}

var (
	_ sink.AttributeReader = (*sqsSink)(nil)
	_ sink.Prober          = (*sqsSink)(nil)
)

func newSink(data []byte, env sink.Environment) (sink.Sink, error) {
	parsed, err := settings.Parse(data, common.Environment{})
	if err != nil {
		return nil, err
	}
	session := sinkaws.New(sinkaws.Options{Region: parsed.Region, Endpoint: parsed.Endpoint, TLS: parsed.TLS, Account: parsed.Account}, env)
	return &sqsSink{Parsed: parsed, client: sqs.NewFromConfig(session.Config), session: session, codes: codesOf(&parsed)}, nil
}

// codesOf are what SQS says:
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html#API_SendMessageBatch_Errors
func codesOf(p *settings.Parsed) sinkaws.Codes {
	return sinkaws.Codes{
		Service: "SQS",
		Missing: []string{"QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", "InvalidAddress", "NonExistentQueue"},
		Create:  "create the queue in " + p.Region + ", or correct queueURL",
		// A character that no message may have, such as U+FFFF, and too many bytes.
		Permanent: []string{"InvalidMessageContents", "BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong"},
		Grant:     "the right sqs:SendMessage for the queue, and to use the key of its encryption",
		Hidden:    p.Account.Hidden(),
	}
}

// ReadsAttributes returns true: messages have them as attributes.
func (s *sqsSink) ReadsAttributes() bool { return true }

// Send sends the messages, ten to a request, and returns nil when the queue has all of them.
func (s *sqsSink) Send(ctx context.Context, batch sink.Batch) error {
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

// request sends the messages at some positions, under these as their names.
func (s *sqsSink) request(ctx context.Context, messages []sink.Message, positions []int) (map[int]error, error) {
	input := &sqs.SendMessageBatchInput{QueueUrl: aws.String(s.QueueURL)}
	failed := map[int]error{}
	for _, i := range positions {
		input.Entries = append(input.Entries, s.entry(strconv.Itoa(i), &messages[i]))
		failed[i] = sinkaws.ErrMissingEntry // until it is answered for
	}
	output, err := s.client.SendMessageBatch(ctx, input)
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

func (s *sqsSink) entry(name string, m *sink.Message) types.SendMessageBatchRequestEntry {
	e := types.SendMessageBatchRequestEntry{Id: aws.String(name), MessageBody: aws.String(string(m.Envelope)), MessageAttributes: map[string]types.MessageAttributeValue{}}
	for name, value := range sinkaws.Attributes(m) {
		e.MessageAttributes[name] = types.MessageAttributeValue{DataType: aws.String(sinkaws.AttributeType), StringValue: aws.String(value)}
	}
	if s.FIFO {
		e.MessageGroupId, e.MessageDeduplicationId = aws.String(sinkaws.GroupOf(m)), aws.String(m.ID)
	}
	return e
}

// Probe asks for an attribute of the queue. Who may send alone is refused that.
func (s *sqsSink) Probe(ctx context.Context) error {
	_, err := s.client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: aws.String(s.QueueURL), AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn},
	})
	switch {
	case err != nil && ctx.Err() != nil:
		return ctx.Err()
	case sinkaws.HasCode(err, "AccessDenied", "AccessDeniedException"):
		return nil
	}
	return s.codes.Unasked(err)
}

// Close closes idle connections.
func (s *sqsSink) Close() error {
	s.session.Close()
	return nil
}

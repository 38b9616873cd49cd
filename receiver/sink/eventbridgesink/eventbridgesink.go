// Package eventbridgesink puts events onto an event bus of Amazon EventBridge, one entry for each event.
package eventbridgesink

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/mailvane/mailvane/receiver/event"
	common "github.com/mailvane/mailvane/receiver/settings"
	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/eventbridgesink/settings"
	"github.com/mailvane/mailvane/receiver/sink/sinkaws"
)

// Kind returns the sink kind "EventBridge".
func Kind() sink.Kind { return sink.Kind{Type: "EventBridge", New: newSink} }

// bridgeSink is one destination.
type bridgeSink struct {
	settings.Parsed

	client  *eventbridge.Client
	session *sinkaws.Session
	codes   sinkaws.Codes
}

var (
	_ sink.AttributeReader = (*bridgeSink)(nil)
	_ sink.Prober          = (*bridgeSink)(nil)
)

func newSink(data []byte, env sink.Environment) (sink.Sink, error) {
	parsed, err := settings.Parse(data, common.Environment{})
	if err != nil {
		return nil, err
	}
	session := sinkaws.New(sinkaws.Options{Region: parsed.Region, Endpoint: parsed.Endpoint, TLS: parsed.TLS, Account: parsed.Account}, env)
	return &bridgeSink{Parsed: parsed, client: eventbridge.NewFromConfig(session.Config), session: session, codes: codesOf(&parsed)}, nil
}

// codesOf are what EventBridge says: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html
func codesOf(p *settings.Parsed) sinkaws.Codes {
	return sinkaws.Codes{
		Service: "EventBridge",
		Missing: []string{"ResourceNotFoundException", "ResourceNotFound"},
		Create:  "create the event bus in " + p.Region + ", or correct busARN",
		// The event's JSON, and too many bytes.
		Permanent: []string{"MalformedDetail", "RequestEntityTooLarge", "RequestEntityTooLargeException"},
		Grant:     "the right events:PutEvents for the event bus",
		Hidden:    p.Account.Hidden(),
	}
}

// ReadsAttributes returns true: entries have them beside the event.
func (s *bridgeSink) ReadsAttributes() bool { return true }

// Send puts the events, ten to a request, and returns nil when the bus has all of them.
func (s *bridgeSink) Send(ctx context.Context, batch sink.Batch) error {
	if err := ctx.Err(); err != nil || len(batch.Messages) == 0 {
		return err
	}
	sizes := make([]int, len(batch.Messages))
	for i := range batch.Messages {
		sizes[i] = s.sizeOf(&batch.Messages[i])
	}
	return s.codes.SendAll(ctx, sizes, func(ctx context.Context, positions []int) (map[int]error, error) {
		return s.request(ctx, batch.Messages, positions)
	})
}

// request puts the events at some positions. It is answered for in their order.
func (s *bridgeSink) request(ctx context.Context, messages []sink.Message, positions []int) (map[int]error, error) {
	input := &eventbridge.PutEventsInput{}
	for _, i := range positions {
		input.Entries = append(input.Entries, s.entry(&messages[i]))
	}
	output, err := s.client.PutEvents(ctx, input)
	if err != nil {
		return nil, err
	}
	failed := map[int]error{}
	for n, i := range positions {
		switch {
		case n >= len(output.Entries):
			failed[i] = sinkaws.ErrMissingEntry
		case output.Entries[n].ErrorCode != nil:
			failed[i] = s.codes.Entry(aws.ToString(output.Entries[n].ErrorCode), aws.ToString(output.Entries[n].ErrorMessage))
		case aws.ToString(output.Entries[n].EventId) == "":
			failed[i] = sinkaws.ErrMissingEntry
		}
	}
	return failed, nil
}

func (s *bridgeSink) entry(m *sink.Message) types.PutEventsRequestEntry {
	e := types.PutEventsRequestEntry{
		EventBusName: aws.String(s.BusARN), Source: aws.String(s.Source), DetailType: aws.String(string(event.TypeOf(m.Type))), Detail: aws.String(string(m.Envelope)),
	}
	if !m.Time.IsZero() {
		e.Time = aws.Time(m.Time)
	}
	return e
}

// timeBytes is what counts for the time of an entry:
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html#eb-putevent-size
const timeBytes = 14

func (s *bridgeSink) sizeOf(m *sink.Message) int {
	return timeBytes + len(s.Source) + len(event.TypeOf(m.Type)) + len(m.Envelope)
}

// Probe asks for the event bus, which is the one way to find that it is missing before an event. Who may put events alone is refused that.
func (s *bridgeSink) Probe(ctx context.Context) error {
	_, err := s.client.DescribeEventBus(ctx, &eventbridge.DescribeEventBusInput{Name: aws.String(s.BusARN)})
	switch {
	case err != nil && ctx.Err() != nil:
		return ctx.Err()
	case sinkaws.HasCode(err, "AccessDeniedException", "AccessDenied"):
		return nil
	}
	return s.codes.Unasked(err)
}

// Close closes idle connections.
func (s *bridgeSink) Close() error {
	s.session.Close()
	return nil
}

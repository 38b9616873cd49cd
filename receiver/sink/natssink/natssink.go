// Package natssink publishes events to streams of NATS JetStream, one message for each event. The message id of an event is its own, so
// that a stream drops what is sent again within its duplicate window.
package natssink

import (
	"context"
	"strings"

	"github.com/nats-io/nats.go"

	common "github.com/mailvane/mailvane/receiver/settings"
	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/natssink/settings"
	"github.com/mailvane/mailvane/receiver/sink/template"
)

// Kind returns the sink kind "NATS".
func Kind() sink.Kind { return sink.Kind{Type: "NATS", New: newSink} }

// natsSink is one destination.
type natsSink struct {
	subject   template.Template
	stream    string
	connector *connector
}

var (
	_ sink.AttributeReader = (*natsSink)(nil)
	_ sink.Prober          = (*natsSink)(nil)
)

func newSink(data []byte, env sink.Environment) (sink.Sink, error) {
	parsed, err := settings.Parse(data, common.Environment{})
	if err != nil {
		return nil, err
	}
	options, err := connectionOptions(&parsed)
	if err != nil {
		return nil, err
	}
	return &natsSink{
		subject: parsed.Subject, stream: parsed.Stream,
		connector: newConnector(strings.Join(parsed.URLs, ","), options, env.Dialer(connectTimeout)),
	}, nil
}

// ReadsAttributes returns true: subjects are made of them.
func (s *natsSink) ReadsAttributes() bool { return true }

// Send publishes the messages, in order, and returns nil when streams have acknowledged each.
func (s *natsSink) Send(ctx context.Context, batch sink.Batch) error {
	if err := ctx.Err(); err != nil || len(batch.Messages) == 0 {
		return err
	}
	session, err := s.connector.session(ctx)
	if err != nil {
		return err
	}
	return outcome(len(batch.Messages), s.publish(ctx, session, batch.Messages))
}

// message is the message of an event (CloudEvents NATS protocol binding 1.0.2, structured content mode).
func (s *natsSink) message(m *sink.Message) *nats.Msg {
	header := nats.Header{nats.MsgIdHdr: {m.ID}, "Content-Type": {"application/cloudevents+json; charset=utf-8"}}
	if s.stream != "" {
		header[nats.ExpectedStreamHdr] = []string{s.stream}
	}
	values := template.Values{Source: m.Source, Type: m.Type, Provider: m.Provider}
	return &nats.Msg{Subject: s.subject.Expand(values), Header: header, Data: m.Envelope}
}

// Close ends the connection. Sends under way fail for the moment.
func (s *natsSink) Close() error {
	s.connector.close()
	return nil
}

package natssink

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/template"
)

// The subjects at which servers are asked about streams.
const (
	subjectOfInfo  = "$JS.API.STREAM.INFO."
	subjectOfNames = "$JS.API.STREAM.NAMES"
)

// Probe connects, and asks for the stream. A user that may not ask is connected for all that a probe can tell.
func (s *natsSink) Probe(ctx context.Context) error {
	session, err := s.connector.session(ctx)
	if err != nil {
		return err
	}
	ask, subject := s.askByName, subjectOfInfo+s.stream
	if s.stream == "" {
		ask, subject = s.askBySubject, subjectOfNames
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	denied := session.deniedTo(subject)
	answered := make(chan error, 1)
	go func() { answered <- ask(ctx, session.js) }()
	select {
	case <-denied:
		return nil
	case <-session.gone:
		return sink.Unreachable(errLost)
	case err := <-answered:
		if err != nil && session.nc.IsClosed() {
			return sink.Unreachable(errLost)
		}
		return s.missing(err)
	}
}

func (s *natsSink) askByName(ctx context.Context, js jetstream.JetStream) error {
	_, err := js.Stream(ctx, s.stream)
	return err
}

func (s *natsSink) askBySubject(ctx context.Context, js jetstream.JetStream) error {
	_, err := js.StreamNameBySubject(ctx, subjects(s.subject))
	return err
}

// subjects is a wildcard that all subjects of a template are within.
func subjects(t template.Template) string {
	text, whole := t.Constant()
	if whole {
		return text
	}
	return text[:strings.LastIndexByte(text, '.')+1] + ">"
}

// missing is the error of a question about the stream.
func (s *natsSink) missing(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, jetstream.ErrStreamNotFound) && s.stream != "":
		return sink.Because(sink.DestinationNotFound, fmt.Errorf("there is no stream %q; add it: nats stream add %s --subjects %q", s.stream, s.stream, subjects(s.subject)))
	case errors.Is(err, jetstream.ErrStreamNotFound):
		return sink.Because(sink.DestinationNotFound, fmt.Errorf("no stream takes the sink's subjects; add one: nats stream add --subjects %q", subjects(s.subject)))
	case errors.Is(err, jetstream.ErrJetStreamNotEnabled), errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount):
		return sink.Because(sink.DestinationNotFound, fmt.Errorf("the NATS server has no JetStream for the sink's account: %w", err))
	default:
		return fmt.Errorf("ask for the stream: %w", err)
	}
}

// Package stdoutsink writes events to standard output, one structured CloudEvent per line.
package stdoutsink

import (
	"context"
	"fmt"
	"io"
	"os"

	common "github.com/mailvane/mailvane/receiver/settings"
	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/stdoutsink/settings"
)

// Kind returns the sink kind "Stdout".
func Kind() sink.Kind { return sink.Kind{Type: "Stdout", New: newSink} }

type stdoutSink struct {
	out  io.Writer
	turn sink.Turn
	// torn says that a write broke off inside a line.
	torn bool
}

func newSink(data []byte, env sink.Environment) (sink.Sink, error) {
	if _, err := settings.Parse(data, common.Environment{}); err != nil {
		return nil, err
	}
	s := &stdoutSink{out: env.Stdout, turn: sink.NewTurn()}
	if s.out == nil {
		s.out = os.Stdout
	}
	return s, nil
}

// Send writes the messages in one write. When ctx ends first, the write may still happen.
func (s *stdoutSink) Send(ctx context.Context, batch sink.Batch) error {
	lines := sink.JoinLines(batch.Messages)
	if len(lines) == 0 {
		return ctx.Err()
	}
	return s.turn.Take(ctx, func() error { return s.write(lines) })
}

func (s *stdoutSink) write(lines []byte) error {
	if s.torn {
		lines = append([]byte{'\n'}, lines...)
	}
	n, err := s.out.Write(lines)
	s.torn = n > 0 && lines[n-1] != '\n' || n == 0 && s.torn
	if err != nil {
		return fmt.Errorf("write to standard output: %w", err)
	}
	return nil
}

// Close leaves standard output open: it is the process's.
func (s *stdoutSink) Close() error { return nil }

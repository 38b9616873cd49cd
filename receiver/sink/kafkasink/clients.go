package kafkasink

import (
	"errors"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/mailvane/mailvane/receiver/sink"
)

var errClosed = errors.New("the sink is closed")

func (s *kafkaSink) current() *producer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.producer
}

// byItself returns the client for records that are alone in their batches, because it takes no second one.
func (s *kafkaSink) byItself() (*producer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, sink.Unreachable(errClosed)
	}
	if s.alone != nil {
		return s.alone, nil
	}
	var err error
	s.alone, err = newProducer(slices.Concat(s.options, s.single))
	return s.alone, err
}

// learn takes from what failed that topics may not be what they were, and that a client must be made anew: one that was refused a producer
// id never asks for another, and one that knows a topic by its id does not believe that it has got another.
func (s *kafkaSink) learn(p *producer, failed map[int]error) {
	for _, err := range failed {
		if sink.IsPermanent(err) {
			continue
		}
		s.forget()
		if errors.Is(err, kerr.ClusterAuthorizationFailed) || errors.Is(err, kerr.UnknownTopicID) {
			s.renew(p)
		}
	}
}

func (s *kafkaSink) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.known)
}

// renew replaces a client, unless that was done before.
func (s *kafkaSink) renew(p *producer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.producer != p {
		return
	}
	fresh, err := newProducer(s.options)
	if err != nil {
		return // the options were good for the one before
	}
	s.producer = fresh
	go p.client.Close()
}

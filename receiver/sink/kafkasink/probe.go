package kafkasink

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/mailvane/mailvane/receiver/sink"
)

// Probe has the brokers say whether they know the sink, whether its topic is there, if there is only one, and whether the sink may write
// to it.
func (s *kafkaSink) Probe(ctx context.Context) error {
	var topics []string
	if topic, whole := s.topic.Constant(); whole {
		topics = []string{topic}
	}
	found, err := s.ask(ctx, topics)
	if err != nil {
		return err
	}
	for _, t := range found {
		if err := writable(&t); err != nil {
			return err
		}
	}
	return s.mayProduce(ctx)
}

// mayProduce has a broker hand out a producer id, which it refuses to who may write nowhere.
func (s *kafkaSink) mayProduce(ctx context.Context) error {
	p := s.current()
	_, _, err := p.client.ProducerID(ctx)
	if !errors.Is(err, kerr.ClusterAuthorizationFailed) {
		return ctx.Err() // whatever else it is, no event waits for it
	}
	s.renew(p)
	return classify(err, "")
}

// ask returns what brokers say of topics. Its error is one of Send, of which nothing was sent.
func (s *kafkaSink) ask(ctx context.Context, topics []string) ([]kmsg.MetadataResponseTopic, error) {
	request := kmsg.NewPtrMetadataRequest()
	request.Topics = []kmsg.MetadataRequestTopic{} // nil asks for all
	for _, name := range topics {
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = &name
		request.Topics = append(request.Topics, t)
	}
	request.IncludeTopicAuthorizedOperations = true
	answer, err := request.RequestWith(ctx, s.current().client)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, s.notConnected(err)
	}
	return answer.Topics, nil
}

// notAsked is what authorized operations are where a broker does not say them (KIP-430).
const notAsked = math.MinInt32

// writable returns why a topic cannot be written to.
func writable(t *kmsg.MetadataResponseTopic) error {
	if err := missing(t); err != nil {
		return err
	}
	if may := t.AuthorizedOperations; may != notAsked && may != 0 && may&(1<<kmsg.ACLOperationWrite) == 0 {
		return classify(kerr.TopicAuthorizationFailed, nameOf(t))
	}
	return nil
}

// missing returns why a topic is not there for the sink. What passes by itself is left to those that produce.
func missing(t *kmsg.MetadataResponseTopic) error {
	err := kerr.ErrorForCode(t.ErrorCode)
	if isOfTopic(err) || isOfCredential(err) {
		return classify(err, nameOf(t))
	}
	return nil
}

func nameOf(t *kmsg.MetadataResponseTopic) string {
	if t.Topic == nil {
		return ""
	}
	return *t.Topic
}

// find asks for the topics of records that were not there before. A record whose topic is not there becomes nil, and is added to failed: the
// client would look for it for some time.
func (s *kafkaSink) find(ctx context.Context, records []*kgo.Record, failed map[int]error) error {
	unknown := s.unknown(topicsOf(records))
	if len(unknown) == 0 {
		return nil
	}
	found, err := s.ask(ctx, unknown)
	if err != nil {
		return err
	}
	gone := map[string]error{}
	for i := range found {
		if err := missing(&found[i]); err != nil {
			gone[nameOf(&found[i])] = err
		}
	}
	for i, r := range records {
		if r != nil && gone[r.Topic] != nil {
			failed[i] = gone[r.Topic]
			records[i] = nil
		}
	}
	s.know(unknown, gone)
	return nil
}

func (s *kafkaSink) unknown(topics []string) (unknown []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range topics {
		if !s.known[t] {
			unknown = append(unknown, t)
		}
	}
	return unknown
}

func (s *kafkaSink) know(topics []string, gone map[string]error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range topics {
		s.known[t] = gone[t] == nil
	}
}

// notConnected says why brokers do not answer a question. Those that do not say that a credential is wrong close the connection instead,
// each time that it is shown.
func (s *kafkaSink) notConnected(err error) error {
	_, first := errors.AsType[*kgo.ErrFirstReadEOF](err)
	_, refused := errors.AsType[*sink.ConnectionError](err)
	switch {
	case refused:
		return err
	case isOfCredential(err):
		return classify(err, "")
	case s.authenticates && errors.Is(err, io.EOF) && !first:
		return sink.Because(sink.CredentialRefused, fmt.Errorf("the brokers close the connection when the sink shows its credentials, which may be wrong: %w", err))
	}
	return sink.Unreachable(fmt.Errorf("no connection to Kafka: %w", err))
}

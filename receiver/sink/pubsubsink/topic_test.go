package pubsubsink

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"cloud.google.com/go/pubsub/v2/pstest"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	grpcmetadata "google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/mailvane/mailvane/receiver/sink/sinktest"
)

const topicName = "projects/mail-1234/topics/mail-events"

// topic is Google's own server for tests (pstest), with failures that a test asks for.
type topic struct {
	*pstest.Server

	mu       sync.Mutex
	messages []*pubsubpb.PubsubMessage
	requests int
	fail     func(*pubsubpb.PublishRequest) error
	asked    error // what is answered to who asks for the topic
}

func newTopic(t *testing.T) *topic {
	t.Helper()
	q := &topic{}
	q.Server = pstest.NewServer(pstest.ServerReactorOption{FuncName: "Publish", Reactor: q}, pstest.ServerReactorOption{FuncName: "GetTopic", Reactor: q})
	t.Cleanup(func() { _ = q.Close() }) // a test may have closed it
	if _, err := q.GServer.CreateTopic(t.Context(), &pubsubpb.Topic{Name: topicName}); err != nil {
		t.Fatal(err)
	}
	return q
}

// React is asked before the server.
func (q *topic) React(request any) (handled bool, ret any, err error) {
	publish, ok := request.(*pubsubpb.PublishRequest)
	q.mu.Lock()
	fail, asked := q.fail, q.asked
	q.mu.Unlock()
	if !ok {
		return asked != nil, &pubsubpb.Topic{}, asked
	}
	if fail != nil {
		if err := fail(publish); err != nil {
			return true, &pubsubpb.PublishResponse{}, err
		}
	}
	if publish.GetTopic() == topicName {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.requests++
		for _, m := range publish.GetMessages() {
			q.messages = append(q.messages, proto.CloneOf(m))
		}
	}
	return false, nil, nil
}

// failing has every request fail, until it is told otherwise; nil = all is well.
func (q *topic) failing(fail func(*pubsubpb.PublishRequest) error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.fail = fail
}

func (q *topic) saying(code codes.Code, words string) func(*testing.T) {
	return func(*testing.T) {
		q.failing(func(*pubsubpb.PublishRequest) error { return status.Error(code, words) })
	}
}

func (q *topic) taken() []*pubsubpb.PubsubMessage {
	q.mu.Lock()
	defer q.mu.Unlock()
	return append([]*pubsubpb.PubsubMessage(nil), q.messages...)
}

func (q *topic) received(t *testing.T) (ids []string) {
	t.Helper()
	for _, m := range q.taken() {
		var e struct{ ID string }
		if err := json.Unmarshal(m.GetData(), &e); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, e.ID)
	}
	return ids
}

func (q *topic) settings(more string) string {
	return fmt.Sprintf(`{"topic":%q,"endpoint":"http://%s"%s}`, topicName, q.Addr, more)
}

func (q *topic) harness(t *testing.T) sinktest.Harness {
	t.Helper()
	stalled := make(chan struct{})
	t.Cleanup(func() { close(stalled) })
	return sinktest.Harness{
		Kind: Kind(), Settings: q.settings(""), Received: q.received,
		Break: q.saying(codes.Unavailable, "The service was unable to fulfill your request."),
		Mend:  func(*testing.T) { q.failing(nil) },
		Stall: func(*testing.T) {
			q.failing(func(*pubsubpb.PublishRequest) error { <-stalled; return status.Error(codes.Unavailable, "late") })
		},
		Bound: func(_ *testing.T, bytes int) {
			q.failing(func(r *pubsubpb.PublishRequest) error {
				for _, m := range r.GetMessages() {
					if len(m.GetData()) > bytes {
						return status.Error(codes.InvalidArgument, "The value for message_size is too large.")
					}
				}
				return nil
			})
		},
		Fail: map[sinktest.Class]func(*testing.T){
			sinktest.Permanent:     q.saying(codes.InvalidArgument, "The value for message_size is too large."),
			sinktest.Throttled:     func(*testing.T) { q.failing(func(*pubsubpb.PublishRequest) error { return throttled() }) },
			sinktest.Transient:     q.saying(codes.Internal, "The service was unable to fulfill your request."),
			sinktest.BadCredential: q.saying(codes.PermissionDenied, "User not authorized to perform this action."),
			sinktest.NoDestination: q.saying(codes.NotFound, "Resource not found (resource=mail-events)."),
			sinktest.Unreachable:   func(*testing.T) { _ = q.Close() },
		},
	}
}

func throttled() error {
	said, err := status.New(codes.ResourceExhausted, "Quota exceeded.").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(sinktest.ThrottledFor)})
	if err != nil {
		return err
	}
	return said.Err()
}

// secured serves the topic with TLS as well, and keeps what requests show of who they are.
type secured struct {
	address string
	mu      sync.Mutex
	tokens  []string
}

func (q *topic) secure(t *testing.T, config *tls.Config) *secured {
	t.Helper()
	s := &secured{}
	server := grpc.NewServer(grpc.Creds(credentials.NewTLS(config)), grpc.UnaryInterceptor(func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
		of, _ := grpcmetadata.FromIncomingContext(ctx)
		s.mu.Lock()
		s.tokens = append(s.tokens, of.Get("authorization")...)
		s.mu.Unlock()
		return next(ctx, request)
	}))
	pubsubpb.RegisterPublisherServer(server, &q.GServer)
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(l) }() // it is stopped below
	t.Cleanup(server.Stop)
	s.address = l.Addr().String()
	return s
}

func (s *secured) shown() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.tokens...)
}

// short is the time that a test gives to what has to fail.
const short = 5 * time.Second

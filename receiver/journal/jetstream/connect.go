package jetstream

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/mailvane/mailvane/receiver/journal/jetstream/publish"
)

// session is one connection, which mends itself, and what was found through it.
type session struct {
	nc      *nats.Conn
	js      jetstream.JetStream
	denied  *denials
	handles map[string]jetstream.Stream // of supervise alone
}

// denials remembers the last permission that the servers denied: a request that is not permitted is just not answered.
type denials struct {
	mu   sync.Mutex
	text string
	at   time.Time
}

func (d *denials) note(err error) {
	if !errors.Is(err, nats.ErrPermissionViolation) {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.text, d.at = err.Error(), time.Now()
}

// explain adds a denied permission to err, where there was one lately.
func (d *denials) explain(err error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err == nil || d.text == "" || time.Since(d.at) > 2*publish.Timeout {
		return err
	}
	return fmt.Errorf("%w: the user of the receiver lacks a permission: %s", err, d.text)
}

// unanswered reports whether err tells of a server that did not answer, although it was asked for something that is permitted.
func (s *session) unanswered(err error) bool {
	s.denied.mu.Lock()
	defer s.denied.mu.Unlock()
	return time.Since(s.denied.at) > 2*publish.Timeout && (errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrTimeout) ||
		errors.Is(err, nats.ErrNoResponders) || errors.Is(err, jetstream.ErrNoStreamResponse) || publish.CodeOf(err) == publish.CodeNoLeader)
}

// connect makes the first connection. From then on the client reconnects by itself, for ever.
func (j *Journal) connect() (*session, error) {
	s := &session{denied: &denials{}, handles: map[string]jetstream.Stream{}}
	options := []nats.Option{
		nats.Name("mailvane " + j.options.Name),
		nats.CustomInboxPrefix(j.subjects.Inbox()),
		nats.Timeout(requestTimeout),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(250 * time.Millisecond),
		nats.ReconnectJitter(100*time.Millisecond, 100*time.Millisecond),
		nats.ReconnectBufSize(-1), // what cannot be sent now is an error now
		nats.PingInterval(2 * time.Second),
		nats.MaxPingsOutstanding(2),
		nats.IgnoreAuthErrorAbort(), // credentials are replaced while the receiver runs
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { s.denied.note(err) }),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				j.options.Logger.Warn("connection to NATS lost", "error", err)
			}
		}),
		nats.ReconnectHandler(func(*nats.Conn) {
			j.options.Logger.Info("connected to NATS again")
			j.wake()
		}),
	}
	options = append(options, j.credentials()...)
	nc, err := nats.Connect(strings.Join(j.options.URLs, ","), options...)
	if err != nil {
		return nil, fmt.Errorf("connect to NATS: %w", err)
	}
	js, err := jetstream.New(nc, jetstream.WithDefaultTimeout(requestTimeout), jetstream.WithPublishAsyncTimeout(publish.Timeout),
		jetstream.WithPublishAsyncMaxPending(publish.MaxPending))
	if err != nil {
		nc.Close()
		return nil, fmt.Errorf("use JetStream: %w", err)
	}
	s.nc, s.js = nc, js
	if err := j.serve(s); err != nil {
		nc.Close()
		return nil, err
	}
	return s, nil
}

// credentials are the options that read a file at every connection.
func (j *Journal) credentials() []nats.Option {
	var options []nats.Option
	if j.options.Credentials != "" {
		options = append(options, nats.UserCredentials(j.options.Credentials))
	}
	if j.options.CA != "" {
		options = append(options, nats.RootCAs(j.options.CA))
	}
	if j.options.Certificate != "" {
		options = append(options, nats.ClientCert(j.options.Certificate, j.options.Key))
	}
	return options
}

// Send publishes messages as one batch.
func (s *session) Send(messages []*nats.Msg) (jetstream.PubAckFuture, error) {
	return publish.Send(s.nc, s.js, messages)
}

// Explain adds a denied permission to err, where there was one lately.
func (s *session) Explain(err error) error { return s.denied.explain(err) }

// serve subscribes to what others send to this process: probes, and confirmations of acknowledgements.
func (j *Journal) serve(s *session) error {
	if _, err := s.nc.Subscribe(j.subjects.Alive(j.process), func(m *nats.Msg) { _ = m.Respond(nil) }); err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	if _, err := s.nc.Subscribe(j.confirmations.All(), j.confirmed); err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	return nil
}

// answers asks whether a process is there. That nobody is there to answer is known at once, and that one is silent after a while.
func (s *session) answers(ctx context.Context, subject string) (answered, nobody bool) {
	ctx, cancel := context.WithTimeout(ctx, pollInterval)
	defer cancel()
	_, err := s.nc.RequestWithContext(ctx, subject, nil)
	return err == nil, errors.Is(err, nats.ErrNoResponders)
}

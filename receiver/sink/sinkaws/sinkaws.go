// Package sinkaws is what the sinks for services of AWS, and for servers that speak their protocols, share: how connections are made, how a sink shows
// who it is, and what errors say.
package sinkaws

import (
	"crypto/tls"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/sinkaws/account"
)

const (
	// connectTimeout bounds a connection, with TLS.
	connectTimeout = 10 * time.Second
	idleTimeout    = 90 * time.Second
	// maxIdle is as many as there are sends in flight, in nearly all policies.
	maxIdle                = 64
	maxResponseHeaderBytes = 64 << 10
)

// Options are what connections to a service need.
type Options struct {
	// Region is where the service is.
	Region string
	// Endpoint is the URL of another server than that of AWS; "" = that of AWS.
	Endpoint string
	// TLS is nil for the defaults.
	TLS *tls.Config
	// Account says how the sink shows who it is.
	Account account.Settings
}

// Session is what the clients of one sink are made with.
type Session struct {
	// Config is the configuration of clients.
	Config aws.Config

	transports []*http.Transport
}

// New returns a session. It does not connect. Nothing is read of files and of the machine's metadata service, and of the environment only what web
// identity needs: whoever writes a manifest gets no rights of the process.
func New(o Options, env sink.Environment) *Session {
	// The service may have certificates of its own; AWS's token service has none of those.
	service, tokens := newTransport(env.Dialer(connectTimeout), o.TLS), newTransport(env.Dialer(connectTimeout), nil)
	s := &Session{transports: []*http.Transport{service, tokens}, Config: aws.Config{
		Region:     o.Region,
		HTTPClient: newClient(service),
		// The delivery tries again.
		Retryer: func() aws.Retryer { return aws.NopRetryer{} },
		// Many servers that speak the protocol of S3 know the checksums of AWS in part.
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
	}}
	if o.Endpoint != "" {
		s.Config.BaseEndpoint = aws.String(o.Endpoint)
	}
	s.Config.Credentials = credentials(o, newClient(tokens))
	return s
}

// Close closes idle connections.
func (s *Session) Close() {
	for _, t := range s.transports {
		t.CloseIdleConnections()
	}
}

// newClient returns a client that follows no redirect: what is meant for one destination is not for another.
func newClient(transport http.RoundTripper) *http.Client {
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

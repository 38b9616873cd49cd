package pubsubsink

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/credentials/oauth"
	"google.golang.org/grpc/keepalive"

	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/pubsubsink/settings"
)

const (
	// connectTimeout bounds the making of a connection.
	connectTimeout = 10 * time.Second
	// pingAfter is how long a connection may be silent during a send before it is asked whether it still lives. Servers take no ping more
	// often than that.
	pingAfter = 5 * time.Minute
	// audience is whom a token is for.
	audience = "https://pubsub.googleapis.com/"
)

// connect returns a connection that is made with the first send, and again whenever it breaks.
func connect(p *settings.Parsed, env sink.Environment) (*grpc.ClientConn, error) {
	dialer := env.Dialer(connectTimeout)
	options := []grpc.DialOption{
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			return dialer.DialContext(ctx, "tcp", address)
		}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: pingAfter}),
		grpc.WithDisableServiceConfig(), grpc.WithDisableRetry(), grpc.WithIdleTimeout(pingAfter),
	}
	if p.Plain {
		options = append(options, grpc.WithTransportCredentials(insecure.NewCredentials()))
	} else {
		tokens, err := tokensOf(p, dialer)
		if err != nil {
			return nil, err
		}
		options = append(options, grpc.WithTransportCredentials(credentials.NewTLS(tlsOf(p))), grpc.WithPerRPCCredentials(oauth.TokenSource{TokenSource: tokens}))
	}
	// The dialer resolves names, so that every address is looked at.
	connection, err := grpc.NewClient("passthrough:///"+p.Address, options...)
	if err != nil {
		return nil, fmt.Errorf("prepare the connection to %s: %w", p.Address, err)
	}
	return connection, nil
}

func tlsOf(p *settings.Parsed) *tls.Config {
	if p.TLS == nil {
		return &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return p.TLS.Clone()
}

// tokensOf returns what shows who the sink is: a token that the key of a service account signs, for which nobody is asked, or one of the machine's
// metadata service, which the dialer reaches only where the address is allowed.
func tokensOf(p *settings.Parsed, dialer *net.Dialer) (oauth2.TokenSource, error) {
	if p.Key == "" {
		return oauth2.ReuseTokenSource(nil, newMetadata(dialer)), nil
	}
	tokens, err := google.JWTAccessTokenSourceFromJSON([]byte(p.Key), audience)
	if err != nil {
		return nil, errors.New("serviceAccountKey: its private_key cannot be read")
	}
	return tokens, nil
}

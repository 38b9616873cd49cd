package kafkasink

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/kafkasink/settings"
)

// tokenTimeout bounds one request for a token.
const tokenTimeout = 10 * time.Second

// tokens gets tokens for connections, and keeps one until it is about to expire.
type tokens struct {
	source     oauth2.TokenSource
	extensions map[string]string
}

func newTokens(o *settings.OAuth, config *tls.Config, dialer *net.Dialer) *tokens {
	client := &http.Client{
		Timeout:       tokenTimeout,
		Transport:     &http.Transport{DialContext: dialer.DialContext, TLSClientConfig: config.Clone(), ForceAttemptHTTP2: true, TLSHandshakeTimeout: connectTimeout},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // with it would go the secret
	}
	grant := clientcredentials.Config{ClientID: o.ClientID, ClientSecret: o.ClientSecret, TokenURL: o.TokenURL}
	for _, s := range o.Scopes {
		grant.Scopes = append(grant.Scopes, string(s))
	}
	t := &tokens{extensions: map[string]string{}}
	for _, e := range o.Extensions {
		t.extensions[e.Name] = e.Value
	}
	t.source = grant.TokenSource(context.WithValue(context.Background(), oauth2.HTTPClient, client))
	return t
}

// auth is what the client shows on a connection. Its error is one of Send.
func (t *tokens) auth(context.Context) (oauth.Auth, error) {
	token, err := t.source.Token()
	if err != nil {
		return oauth.Auth{}, notGranted(err)
	}
	return oauth.Auth{Token: token.AccessToken, Extensions: t.extensions}, nil
}

// notGranted says why there is no token. Of an answer it repeats the code alone: servers have put a request's secrets into the rest.
func notGranted(err error) error {
	answer, answered := errors.AsType[*oauth2.RetrieveError](err)
	if !answered || answer.Response == nil {
		if request, ok := errors.AsType[*url.Error](err); ok {
			err = request.Err // a query may hold a credential
		}
		return fmt.Errorf("no token from the authorization server: %w", err)
	}
	status := answer.Response.StatusCode
	text := fmt.Errorf("no token: the authorization server answers %d %s", status, code(answer.ErrorCode))
	if status == http.StatusTooManyRequests || status >= http.StatusInternalServerError {
		return text
	}
	return sink.Because(sink.CredentialRefused, text)
}

// code returns an error code (RFC 6749, section 5.2), or nothing of what is none.
func code(text string) string {
	const longest = 64
	if len(text) > longest {
		return ""
	}
	for _, r := range text {
		if (r < 'a' || r > 'z') && r != '_' {
			return ""
		}
	}
	return text
}

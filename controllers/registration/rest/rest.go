// Package rest asks the APIs of providers: a request at a time, bounded, without redirects, and never with a credential in what it says of a failure.
package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/mailvane/mailvane/controllers/registration"
)

const (
	// timeout bounds one request. MailChannels' test waits for the endpoint to answer.
	timeout = 30 * time.Second
	// maxAnswer bounds what is read of an answer, in bytes. Accounts have few webhooks.
	maxAnswer = 4 << 20
	// maxHeader bounds the header of an answer, in bytes.
	maxHeader = 64 << 10
	// maxIdle is how long a connection is kept.
	maxIdle = time.Minute
	// connectTimeout bounds the making of a connection, and its TLS handshake.
	connectTimeout = 10 * time.Second
)

// NewTransport returns connections that are made by a dialer, without a proxy of the environment: that would be what resolves and connects, and
// the address could not be checked.
func NewTransport(dialer *net.Dialer) *http.Transport {
	return &http.Transport{
		DialContext: dialer.DialContext, ForceAttemptHTTP2: true, TLSHandshakeTimeout: connectTimeout, IdleConnTimeout: maxIdle,
		MaxResponseHeaderBytes: maxHeader, MaxIdleConnsPerHost: 1,
	}
}

// ConnectTimeout is how long a dialer for [NewTransport] may take.
const ConnectTimeout = connectTimeout

// Client makes the requests of one account. It implements [registration.Doer].
type Client struct {
	transport http.RoundTripper
	base      string
	secrets   *Secrets
	now       func() time.Time
}

// New returns a Client for the API below a base URL. Nothing of secrets is in any of its errors.
func New(transport http.RoundTripper, base string, secrets *Secrets, now func() time.Time) *Client {
	return &Client{transport, strings.TrimRight(base, "/"), secrets, now}
}

// Do makes a request.
func (c *Client) Do(ctx context.Context, r registration.Request, out any) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	request, err := c.request(ctx, r)
	if err != nil {
		return err
	}
	client := http.Client{
		Transport: c.transport,
		// A redirect would take the key elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(request)
	if err != nil {
		return c.unreachable(ctx, err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return c.unreachable(ctx, err)
	}
	if response.StatusCode/100 != 2 {
		return c.failure(response, body)
	}
	return c.decode(response, body, out)
}

func (c *Client) request(ctx context.Context, r registration.Request) (*http.Request, error) {
	url := c.base + r.Path
	if len(r.Query) > 0 {
		url += "?" + r.Query.Encode()
	}
	var body io.Reader
	mediaType := ""
	switch {
	case r.JSON != nil:
		document, err := json.Marshal(r.JSON)
		if err != nil {
			return nil, errors.New("the request cannot be encoded")
		}
		body, mediaType = bytes.NewReader(document), "application/json"
	case r.Form != nil:
		body, mediaType = strings.NewReader(r.Form.Encode()), "application/x-www-form-urlencoded"
	}
	method := r.Method
	if method == "" {
		method = http.MethodGet
	}
	request, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return nil, errors.New("the URL of the provider's API cannot be read")
	}
	maps.Copy(request.Header, r.Header)
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", "mailvane")
	if mediaType != "" {
		request.Header.Set("Content-Type", mediaType)
	}
	return request, nil
}

// unreachable says why there is no answer, without the address of our own end, which is another one each time.
func (c *Client) unreachable(ctx context.Context, err error) error {
	words := "no connection can be made: " + c.reason(err)
	if timedOut, ok := errors.AsType[net.Error](err); (ok && timedOut.Timeout()) || errors.Is(ctx.Err(), context.DeadlineExceeded) {
		words = fmt.Sprintf("it does not answer within %d seconds", int(timeout.Seconds()))
	}
	return &registration.Error{Kind: registration.Unavailable, Words: words}
}

// reason returns the innermost words of an error of a connection: the outer ones have the URL, which may hold what is looked up by.
func (c *Client) reason(err error) string {
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return c.secrets.Hide(err.Error())
}

// decode reads an answer. One that is no JSON comes from something else than the API, such as a page of a proxy.
func (c *Client) decode(response *http.Response, body []byte, out any) error {
	if out == nil {
		return nil
	}
	var wrong string
	switch {
	case len(body) > maxAnswer:
		wrong = "its answer is larger than 4 MiB"
	case json.Unmarshal(body, out) != nil:
		wrong = "its answer is no JSON of the kind that it documents; is this the address of its API?"
		if len(bytes.TrimSpace(body)) == 0 {
			wrong = "its answer is empty"
		}
	default:
		return nil
	}
	return &registration.Error{Kind: registration.Unavailable, Status: response.StatusCode, Words: wrong}
}

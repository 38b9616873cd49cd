package httpsink

import (
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/mailvane/mailvane/receiver/sink"
)

// The content modes of the CloudEvents HTTP protocol binding 1.0.2, section 3.
const (
	modeStructured = "Structured"
	modeBinary     = "Binary"
	modeBatched    = "Batched"
)

// settings are the API's HTTPSink with the values of its secrets.
type settings struct {
	URL            string   `json:"url"`
	ContentMode    string   `json:"contentMode"`
	SigningSecrets []string `json:"signingSecrets"`
	Headers        []header `json:"headers"`
	TLS            *trust   `json:"tls"`
}

// header has either a Value or a Secret.
type header struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Secret string `json:"secret"`
}

// target is where and how requests are sent.
type target struct {
	url     string
	mode    string
	keys    [][]byte
	headers http.Header
	tls     *tls.Config // nil = the defaults
	// hidden is what no error may hold.
	hidden []string
}

// reservedHeaders are set by the sink or belong to the connection.
var reservedHeaders = []string{ //nolint:gochecknoglobals // a constant list
	"Connection", "Content-Encoding", "Content-Length", "Content-Type", "Expect", "Host", "Keep-Alive", "Proxy-Connection",
	"Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

// parseSettings also refuses what has expired at a time, unless that is zero.
func parseSettings(raw []byte, at time.Time) (*target, error) {
	var s settings
	if err := sink.DecodeSettings(raw, &s); err != nil {
		return nil, err
	}
	t := &target{url: s.URL, mode: s.ContentMode, headers: http.Header{}}
	if t.mode == "" {
		t.mode = modeStructured
	}
	if !slices.Contains([]string{modeStructured, modeBinary, modeBatched}, t.mode) {
		return nil, fmt.Errorf("contentMode must be %s, %s or %s", modeStructured, modeBinary, modeBatched)
	}
	return t, errors.Join(t.setURL(s.URL), t.setKeys(s.SigningSecrets), t.setHeaders(s.Headers), t.setTLS(s.TLS, at))
}

func (t *target) setURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" {
		return errors.New("url must be an absolute http or https URL")
	}
	u.Fragment = ""
	t.url = u.String()
	t.hide(u.RawQuery)
	for _, values := range u.Query() {
		t.hide(values...)
	}
	t.hideUser(u.User)
	return nil
}

// hideUser hides the password and what the header says of it, and the name where there is no password: it may be a token.
func (t *target) hideUser(user *url.Userinfo) {
	if user == nil {
		return
	}
	password, ok := user.Password()
	if !ok {
		t.hide(user.Username())
	}
	t.hide(password, base64.StdEncoding.EncodeToString([]byte(user.Username()+":"+password)))
}

// setKeys decodes the signing secrets: base64 of 24 to 64 bytes, with or without the prefix "whsec_" (Standard Webhooks 1.0.0,
// "Signature scheme").
func (t *target) setKeys(secrets []string) error {
	for i, secret := range secrets {
		text := strings.TrimPrefix(strings.TrimSpace(secret), secretPrefix)
		key, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(key) == 0 {
			return fmt.Errorf("signingSecrets[%d] must be base64 after %q", i, secretPrefix)
		}
		if len(key) < minKeyBytes || len(key) > maxKeyBytes {
			return fmt.Errorf("signingSecrets[%d] must be base64 of %d to %d bytes and is of %d; make one with: openssl rand -base64 32",
				i, minKeyBytes, maxKeyBytes, len(key))
		}
		t.keys = append(t.keys, key)
		t.hide(text)
	}
	return nil
}

func (t *target) setHeaders(headers []header) error {
	for i, h := range headers {
		name := http.CanonicalHeaderKey(h.Name)
		switch {
		case !httpguts.ValidHeaderFieldName(h.Name):
			return fmt.Errorf("headers[%d].name is not a header name", i)
		case slices.Contains(reservedHeaders, name) || strings.HasPrefix(name, "Ce-") || strings.HasPrefix(name, "Webhook-"):
			return fmt.Errorf("headers[%d].name %q is set by Mailvane", i, name)
		case (h.Value == "") == (h.Secret == ""):
			return fmt.Errorf("headers[%d] must have either a value or a secret", i)
		case !httpguts.ValidHeaderFieldValue(h.Value + h.Secret):
			return fmt.Errorf("headers[%d] has a value that a header cannot hold", i)
		}
		t.headers.Add(name, h.Value+h.Secret)
		t.hide(h.Value + h.Secret)
		if _, credentials, ok := strings.Cut(h.Value+h.Secret, " "); ok { // "Bearer <token>"
			t.hide(credentials)
		}
	}
	return nil
}

// complete adds what the configured headers leave open.
func (t *target) complete(r *http.Request) {
	if r.Header.Get("User-Agent") == "" {
		r.Header.Set("User-Agent", "mailvane")
	}
	if user := r.URL.User; user != nil && r.Header.Get("Authorization") == "" {
		password, _ := user.Password()
		r.SetBasicAuth(user.Username(), password)
	}
}

// hide keeps values out of errors.
func (t *target) hide(values ...string) {
	for _, v := range values {
		if v != "" {
			t.hidden = append(t.hidden, v)
		}
	}
	// A value that is part of another is replaced after it.
	slices.SortFunc(t.hidden, func(a, b string) int { return len(b) - len(a) })
}

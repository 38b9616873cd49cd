// Package settings reads the settings of an HTTP sink, apart from what posts to it.
package settings

import (
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/mailvane/mailvane/receiver/event/filter"
	"github.com/mailvane/mailvane/receiver/settings"
	"github.com/mailvane/mailvane/receiver/sink/sinktls"
)

// A symmetric secret has minKeyBytes to maxKeyBytes behind secretPrefix (Standard Webhooks 1.0.0, "Signature scheme").
const (
	secretPrefix = "whsec_"
	minKeyBytes  = 24
	maxKeyBytes  = 64
)

// Parsed is where and how requests are sent.
type Parsed struct {
	// URL has no fragment.
	URL string
	// Mode is one of the content modes of the CloudEvents HTTP protocol binding 1.0.2, section 3.
	Mode ContentMode
	// Body says what requests hold, and Template makes it where it is BodyTypeTemplate.
	Body     BodyType
	Template *filter.Template
	// Keys are what requests are signed with.
	Keys [][]byte
	// Headers are added to each request.
	Headers http.Header
	// TLS is nil for the defaults.
	TLS *tls.Config
	// Hidden is what no error may hold, the longest first.
	Hidden []string
}

// reservedHeaders are set by the sink or belong to the connection.
var reservedHeaders = []string{ //nolint:gochecknoglobals // a constant list
	"Connection", "Content-Encoding", "Content-Length", "Content-Type", "Expect", "Host", "Keep-Alive", "Proxy-Connection",
	"Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

// Parse decodes a sink's settings, completes them with the defaults and refuses what cannot work. No error holds a credential.
func Parse(data []byte, env settings.Environment) (Parsed, error) {
	s := Settings{ContentMode: ContentModeStructured}
	if err := settings.Decode(data, &s); err != nil {
		return Parsed{}, err
	}
	switch s.ContentMode {
	case ContentModeStructured, ContentModeBinary, ContentModeBatched:
	default:
		return Parsed{}, fmt.Errorf("contentMode must be %s, %s or %s", ContentModeStructured, ContentModeBinary, ContentModeBatched)
	}
	p := Parsed{Mode: s.ContentMode, Headers: http.Header{}}
	if err := errors.Join(p.setBody(&s.Body, env), p.setURL(s.URL, s.URLSecret), p.setKeys(s.SigningSecrets), p.setHeaders(s.Headers), p.setTLS(&s.TLS, env)); err != nil {
		return Parsed{}, err
	}
	return p, nil
}

// setBody compiles the template. Who checks settings has the constants in it checked, too.
func (p *Parsed) setBody(b *Body, env settings.Environment) (err error) {
	if p.Body = b.Type; p.Body == "" {
		p.Body = BodyTypeCloudEvents
	}
	switch p.Body {
	case BodyTypeCloudEvents, BodyTypeRaw, BodyTypeTemplate:
	default:
		return fmt.Errorf("body.type must be %s, %s or %s", BodyTypeCloudEvents, BodyTypeRaw, BodyTypeTemplate)
	}
	switch {
	case p.Body != BodyTypeCloudEvents && p.Mode != ContentModeStructured:
		return fmt.Errorf("contentMode must be %s, or left out, unless body.type is %s", ContentModeStructured, BodyTypeCloudEvents)
	case p.Body != BodyTypeTemplate && b.Template != "":
		return fmt.Errorf("body.template must not be set unless body.type is %s", BodyTypeTemplate)
	case p.Body != BodyTypeTemplate:
		return nil
	}
	if !env.Now.IsZero() {
		if err := filter.CheckTemplate(b.Template, nil); err != nil {
			return fmt.Errorf("body.template %w", err)
		}
	}
	if p.Template, err = filter.NewTemplate(b.Template); err != nil {
		return fmt.Errorf("body.template %w", err)
	}
	return nil
}

// setURL takes one of the two. Of one that is a secret the path is hidden, too: it is what opens the door.
func (p *Parsed) setURL(text, secret string) error {
	name := "url"
	if secret != "" {
		name = "urlSecret"
	}
	if text != "" && secret != "" {
		return errors.New("exactly one of url and urlSecret must be set")
	}
	u, err := url.Parse(text + secret)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" {
		return errors.New(name + " must be an absolute http or https URL")
	}
	if secret != "" && u.Path != "/" {
		p.hide(u.Path, u.EscapedPath())
	}
	u.Fragment = ""
	p.URL = u.String()
	p.hide(u.RawQuery)
	for _, values := range u.Query() {
		p.hide(values...)
	}
	p.hideUser(u.User)
	return nil
}

// hideUser hides the password and what the header says of it, and the name where there is no password: it may be a token.
func (p *Parsed) hideUser(user *url.Userinfo) {
	if user == nil {
		return
	}
	password, ok := user.Password()
	if !ok {
		p.hide(user.Username())
	}
	p.hide(password, base64.StdEncoding.EncodeToString([]byte(user.Username()+":"+password)))
}

// setKeys decodes the signing secrets: base64 of 24 to 64 bytes, with or without the prefix "whsec_" (Standard Webhooks 1.0.0,
// "Signature scheme").
func (p *Parsed) setKeys(secrets []string) error {
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
		p.Keys = append(p.Keys, key)
		p.hide(text)
	}
	return nil
}

func (p *Parsed) setHeaders(headers []Header) error {
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
		p.Headers.Add(name, h.Value+h.Secret)
		p.hide(h.Value + h.Secret)
		if _, credentials, ok := strings.Cut(h.Value+h.Secret, " "); ok { // "Bearer <token>"
			p.hide(credentials)
		}
	}
	return nil
}

func (p *Parsed) setTLS(s *SinkTLS, env settings.Environment) (err error) {
	p.TLS, err = sinktls.Config(sinktls.Settings(*s), env)
	if p.TLS != nil && !strings.HasPrefix(p.URL, "https:") {
		return errors.New("tls needs a url that begins with https://")
	}
	return err
}

// hide keeps values out of errors.
func (p *Parsed) hide(values ...string) {
	for _, v := range values {
		if v != "" {
			p.Hidden = append(p.Hidden, v)
		}
	}
	// A value that is part of another is replaced after it.
	slices.SortFunc(p.Hidden, func(a, b string) int { return len(b) - len(a) })
}

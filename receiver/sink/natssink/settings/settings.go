// Package settings reads the settings of a NATS sink, apart from what publishes to it.
package settings

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/mailvane/mailvane/receiver/settings"
	"github.com/mailvane/mailvane/receiver/sink/sinktls"
	"github.com/mailvane/mailvane/receiver/sink/template"
)

// defaultSubject is that of the API.
const defaultSubject = "mailvane.{type}"

// subjectMarks are the marks that a subject may have beside letters and digits.
const subjectMarks = "-_."

// Parsed is where and how events are published.
type Parsed struct {
	// URLs are the servers, at least one.
	URLs []string
	// Subject is never empty, and has no empty token.
	Subject template.Template
	// Stream is the stream that must take the events; empty = any.
	Stream string
	// Authentication has at most one member set.
	Authentication Authentication
	// TLS is nil for the defaults.
	TLS *tls.Config
}

// Parse decodes a sink's settings, completes them with the defaults and refuses what cannot work. No error holds a credential.
func Parse(data []byte, env settings.Environment) (Parsed, error) {
	s := Settings{Subject: defaultSubject}
	if err := settings.Decode(data, &s); err != nil {
		return Parsed{}, err
	}
	p := Parsed{Stream: s.Stream, Authentication: s.Authentication}
	var failed error
	p.TLS, failed = sinktls.Config(sinktls.Settings(s.TLS), env)
	if err := errors.Join(failed, p.setURLs(s.URLs), p.setSubject(s.Subject), checkStream(s.Stream), s.Authentication.check()); err != nil {
		return Parsed{}, err
	}
	return p, nil
}

// setURLs repeats nothing of an address that is wrong: it may hold a password.
func (p *Parsed) setURLs(urls []URL) error {
	if len(urls) == 0 {
		return errors.New("urls must name a server, such as nats://nats.nats.svc:4222")
	}
	for i, text := range urls {
		u, err := url.Parse(string(text))
		switch {
		case err != nil || !slices.Contains([]string{"nats", "tls"}, u.Scheme) || u.Hostname() == "" || strings.Trim(u.Path, "/") != "":
			return fmt.Errorf("urls[%d] must be like nats://host:4222 or tls://host:4222", i)
		case u.User != nil:
			return fmt.Errorf("urls[%d] must hold no credentials; use authentication", i)
		}
		p.URLs = append(p.URLs, string(text))
	}
	return nil
}

func (p *Parsed) setSubject(text string) (err error) {
	if p.Subject, err = template.Parse(text, subjectMarks); err != nil {
		return fmt.Errorf("subject %w", err)
	}
	if slices.Contains(strings.Split(text, "."), "") {
		return errors.New("subject must have something before, between and after its dots")
	}
	return nil
}

var validStream = regexp.MustCompile(`^[A-Za-z0-9_-]{0,255}$`)

func checkStream(name string) error {
	if !validStream.MatchString(name) {
		return errors.New("stream must be letters, digits, - and _")
	}
	return nil
}

// The marks of what a program has made.
const (
	seedPrefix = "SU"
	seedLength = 58
	tokenMark  = "-----BEGIN NATS USER JWT-----" //nolint:gosec // what stands before a credential
	seedMark   = "-----BEGIN USER NKEY SEED-----"
)

// check tells of values only what they are not.
func (a *Authentication) check() error {
	set := 0
	for _, is := range []bool{a.Basic != nil, a.Token != "", a.NKeySeed != "", a.Credentials != ""} {
		if is {
			set++
		}
	}
	switch {
	case set > 1:
		return errors.New("authentication must be one of basicRef, tokenRef, nkeySeedRef and credentialsRef")
	case a.NKeySeed != "" && (!strings.HasPrefix(a.NKeySeed, seedPrefix) || len(a.NKeySeed) != seedLength):
		return fmt.Errorf("authentication.nkeySeed must be the seed of a user: %d characters that begin with %s", seedLength, seedPrefix)
	case a.Credentials != "" && (!strings.Contains(a.Credentials, tokenMark) || !strings.Contains(a.Credentials, seedMark)):
		return fmt.Errorf("authentication.credentials must be a credentials file, with %q and %q", tokenMark, seedMark)
	}
	return nil
}

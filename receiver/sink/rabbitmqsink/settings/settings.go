// Package settings reads the settings of a RabbitMQ sink, apart from what publishes to its exchange.
package settings

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"

	"github.com/mailvane/mailvane/receiver/settings"
	"github.com/mailvane/mailvane/receiver/sink/sinktls"
	"github.com/mailvane/mailvane/receiver/sink/template"
)

// The defaults of the API.
const (
	defaultVirtualHost = "/"
	defaultRoutingKey  = "mailvane.{type}"
)

// keyMarks are the marks that a routing key may have beside letters and digits.
const keyMarks = "-_.:/"

// maxShortString is the length of names in AMQP 0-9-1 (section 4.2.5.3), in bytes.
const maxShortString = 255

// Parsed is where and how events are published.
type Parsed struct {
	// Addresses are with their ports; there is at least one.
	Addresses   []string
	VirtualHost string
	// Exchange is empty for the default one.
	Exchange    string
	RoutingKey  template.Template
	ContentMode ContentMode
	// Basic is nil where the certificate shows who the sink is.
	Basic *settings.Basic
	// TLS is nil for connections without.
	TLS *tls.Config
}

// Parse decodes a sink's settings, completes them with the defaults and refuses what cannot work. No error holds a credential.
func Parse(data []byte, env settings.Environment) (Parsed, error) {
	s := Settings{VirtualHost: defaultVirtualHost, RoutingKey: defaultRoutingKey, ContentMode: ContentModeStructured, TLSMode: TLSModeVerify}
	if err := settings.Decode(data, &s); err != nil {
		return Parsed{}, err
	}
	p := Parsed{VirtualHost: s.VirtualHost, Exchange: s.Exchange, ContentMode: s.ContentMode, Basic: s.Basic}
	if err := errors.Join(p.setAddresses(s.Addresses), p.setKey(s.RoutingKey), p.setTLS(&s, env), s.check()); err != nil {
		return Parsed{}, err
	}
	return p, nil
}

var validExchange = regexp.MustCompile(`^[A-Za-z0-9._:/-]*$`)

// check refuses what the API refuses, too.
func (s *Settings) check() error {
	var errs []error
	refuse := func(when bool, message string) {
		if when {
			errs = append(errs, errors.New(message))
		}
	}
	refuse(s.VirtualHost == "" || len(s.VirtualHost) > maxShortString, "virtualHost must have 1 to 255 bytes")
	refuse(!validExchange.MatchString(s.Exchange) || len(s.Exchange) > maxShortString, "exchange must be letters, digits, . _ : / and -, at most 255")
	refuse(s.ContentMode != ContentModeStructured && s.ContentMode != ContentModeBinary, "contentMode must be Structured or Binary")
	refuse(s.Basic == nil && s.TLS.Secret == nil, "basicRef must be set, or tls.secretRef, whose certificate then shows who the sink is")
	return errors.Join(errs...)
}

func (p *Parsed) setAddresses(addresses []Address) error {
	if len(addresses) == 0 {
		return errors.New("addresses must name a node, such as rabbitmq.rabbitmq.svc:5671")
	}
	for i, address := range addresses {
		host, port, err := net.SplitHostPort(string(address))
		number, failed := strconv.ParseUint(port, 10, 16)
		if err != nil || failed != nil || host == "" || number == 0 || strings.ContainsAny(host, "@/ ") {
			return fmt.Errorf("addresses[%d] must be a name or an address with a port: rabbitmq.rabbitmq.svc:5671", i)
		}
		p.Addresses = append(p.Addresses, string(address))
	}
	return nil
}

func (p *Parsed) setKey(text string) (err error) {
	if p.RoutingKey, err = template.Parse(text, keyMarks); err != nil {
		return fmt.Errorf("routingKey %w", err)
	}
	return nil
}

func (p *Parsed) setTLS(s *Settings, env settings.Environment) (err error) {
	if p.TLS, err = sinktls.Config(sinktls.Settings(s.TLS), env); err != nil {
		return err
	}
	switch {
	case s.TLSMode == TLSModeVerify && p.TLS == nil:
		p.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	case s.TLSMode == TLSModeDisable && p.TLS != nil:
		return fmt.Errorf("tls must not be set when tlsMode is %s", TLSModeDisable)
	case s.TLSMode != TLSModeVerify && s.TLSMode != TLSModeDisable:
		return fmt.Errorf("tlsMode must be %s or %s", TLSModeVerify, TLSModeDisable)
	}
	return nil
}
